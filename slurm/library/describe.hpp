#pragma once
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/slurm/library/compat.hpp"
#include "kernmill/slurm/library/libslurm.hpp"

/// A request becomes Slurm's job description.
namespace kernmill::slurm {

/// A job description that owns the texts it points to.
class Description {
 public:
  Description() {
    slurm_init_job_desc_msg(&message);
    compat::set_oom_kill_step(message);
  }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  /// A text that lives as long as this does; null for an empty one.
  char* keep(const std::string& text) { return text.empty() ? nullptr : texts_.emplace_back(text).data(); }
  template <class Target>
  void set(Target*& field, const std::string& text) {
    if (!text.empty()) field = keep(text);
  }
  template <class Target, class Number>
  static void set(Target& field, const std::optional<Number>& number) {
    if (number) field = static_cast<Target>(*number);
  }

  job_desc_msg_t message{};
  std::vector<char*> environment;

 private:
  std::deque<std::string> texts_;
};

/// Everything that a new job needs, and libslurm does not work out itself.
void describe(const Submission& submission, Description& description);

/// What of a request can be changed once the job is known: mem, mem_per_cpu, time, exclude, begin, nice,
/// where they are set.
void describe_changes(const JobRequest& request, Description& description);

}  // namespace kernmill::slurm
