#pragma once
#include <string>

namespace kernmill::tasks {

/// The file that matrices are multiplied by; empty when the program has it built in.
std::string blas_file();

/// The kernels that OpenBLAS has chosen for this processor, as it calls them ("SkylakeX"); empty of another
/// BLAS. The bits of a product are a matter of them.
std::string blas_kernels();

}  // namespace kernmill::tasks
