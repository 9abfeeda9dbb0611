#pragma once
#include <exception>

/// Private to storage/.
namespace kernmill::storage {

/// A step of many parts that all ranks take together: what fails on one of them is kept until the step is
/// over, and from then on the rank takes part with nothing.
class Together {
 public:
  template <class Work>
  void guard(const Work& work) noexcept {
    if (failed_) return;
    try {
      work();
    } catch (...) {
      failed_ = std::current_exception();
    }
  }
  /// For calls that every rank makes, whatever has happened to it.
  template <class Call>
  void call(const Call& call) noexcept {
    try {
      call();
    } catch (...) {
      if (!failed_) failed_ = std::current_exception();
    }
  }
  [[nodiscard]] bool failed() const { return failed_ != nullptr; }
  void rethrow() const {
    if (failed_) std::rethrow_exception(failed_);
  }

 private:
  std::exception_ptr failed_;
};

}  // namespace kernmill::storage
