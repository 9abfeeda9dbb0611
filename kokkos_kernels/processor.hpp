#pragma once

/// Before a function of the host that calls kernels: it is compiled for several levels of x86-64, and the
/// best that the processor has is chosen when the program is loaded.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__) && \
    !defined(__HIPCC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define KERNMILL_HAS_PROCESSOR_LEVELS 1
#define KERNMILL_PROCESSOR_LEVELS \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), flatten, optimize("O3")))
#else
#define KERNMILL_HAS_PROCESSOR_LEVELS 0
#define KERNMILL_PROCESSOR_LEVELS
#endif

namespace kernmill::kernels {

enum class ProcessorLevel { baseline, x86_64_v3, x86_64_v4 };

/// The level whose code runs here.
inline ProcessorLevel processor_level() {
#if KERNMILL_HAS_PROCESSOR_LEVELS
  static const ProcessorLevel level = __builtin_cpu_supports("x86-64-v4")   ? ProcessorLevel::x86_64_v4
                                      : __builtin_cpu_supports("x86-64-v3") ? ProcessorLevel::x86_64_v3
                                                                            : ProcessorLevel::baseline;
  return level;
#else
  return ProcessorLevel::baseline;
#endif
}

/// Whether products are rounded once, with what they are added to.
inline bool rounds_once() {
  return processor_level() != ProcessorLevel::baseline;
}

/// As compilers call it.
inline const char* name_of(ProcessorLevel level) {
  return level == ProcessorLevel::x86_64_v4   ? "x86-64-v4"
         : level == ProcessorLevel::x86_64_v3 ? "x86-64-v3"
                                              : "baseline";
}

}  // namespace kernmill::kernels
