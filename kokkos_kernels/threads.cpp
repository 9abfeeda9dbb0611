#include "kernmill/kernels/threads.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

int host_threads() {
  static const int threads = [] {
    const char* const text = std::getenv("OMP_NUM_THREADS");  // or a list, by level: the first counts
    int count = text == nullptr ? Host().concurrency() : 1;
    if (text != nullptr) std::from_chars(text, text + std::string_view(text).size(), count);
    return count < 1 ? 1 : count;
  }();
  return threads;
}

void on_host_threads(std::size_t count, const std::function<void(std::size_t)>& work) {
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic) num_threads(host_threads())
#endif
  for (std::size_t i = 0; i < count; ++i) work(i);
}

}  // namespace kernmill::kernels
