#include "kernmill/tasks/support/blas.hpp"

#include <dlfcn.h>

namespace kernmill::tasks {

std::string blas_file() {
  void* const gemm = dlsym(RTLD_DEFAULT, "cblas_dgemm");
  Dl_info found{};
  return gemm != nullptr && dladdr(gemm, &found) != 0 && found.dli_fname != nullptr ? found.dli_fname : "";
}

std::string blas_kernels() {
  using Name = char*();
  auto* const name = reinterpret_cast<Name*>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  const char* const text = name == nullptr ? nullptr : name();
  return text == nullptr ? "" : text;
}

}  // namespace kernmill::tasks
