#include "kernmill/exec/job/own_job.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>

#include "kernmill/base/backoff.hpp"

namespace kernmill::exec {
namespace {

using std::chrono::milliseconds;

void say(const std::string& what, const std::exception& why) {
  fmt::print(stderr, "kernmill-exec: cannot {}: {}\n", what, why.what());
}

bool may_pass(const ClusterError& error) {
  return error.kind == ClusterError::Kind::unavailable || error.kind == ClusterError::Kind::busy;
}

}  // namespace

Cluster& OwnJob::cluster() {
  if (!cluster_) cluster_ = open_();
  return *cluster_;
}

std::optional<ClusterJob> OwnJob::look() {
  try {
    const auto jobs = cluster().job(name_);
    if (!jobs.empty()) return jobs.front();
  } catch (const ClusterError& error) {
    say("ask for the state of job " + name_, error);
  }
  return {};
}

milliseconds OwnJob::time_left() {
  const auto job = look();
  if (!job || job->limit == 0) return milliseconds(0);
  constexpr std::int64_t for_us = 5;
  return std::chrono::seconds(std::max<std::int64_t>(1, job->limit - std::time(nullptr) - for_us));
}

std::optional<std::chrono::system_clock::time_point> OwnJob::end_of_time(const Environment& own) {
  using std::chrono::system_clock;
  std::int64_t end = std::strtoll(value_of(own, "SLURM_JOB_END_TIME").c_str(), nullptr, 10);
  if (end <= 0) {
    const auto job = look();
    end = job ? job->limit : 0;
  }
  if (end <= 0) return {};
  return system_clock::from_time_t(static_cast<std::time_t>(end));
}

bool OwnJob::signal(int number) {
  try {
    cluster().signal(name_, number);
    return true;
  } catch (const ClusterError& error) {
    say(fmt::format("send signal {} to the ranks of job {}", number, name_), error);
    return false;
  }
}

bool OwnJob::requeue(const RetryBudget& budget) {
  return call_again(budget, fmt::format("requeue job {}", name_), [this] { cluster().requeue(name_); });
}

void OwnJob::change(const BatchJob::Options& options, const RetryBudget& budget) {
  if (options.empty()) return;
  call_again(budget, fmt::format("change job {}", name_), [&] { cluster().change(name_, options); });
}

void OwnJob::cancel(const std::string& job) {
  try {
    cluster().cancel(job);
  } catch (const ClusterError& error) {
    say("cancel job " + job, error);
  }
}

bool OwnJob::call_again(const RetryBudget& budget, const std::string& what,
                        const std::function<void()>& call) {
  Backoff backoff({milliseconds(250), milliseconds(10'000), budget.total});
  for (bool unanswered = false;;) {
    try {
      call();
      return true;
    } catch (const ClusterError& error) {
      // What was refused now may be what an earlier try, whose answer was lost, has done already.
      const auto now = unanswered && !may_pass(error) ? look() : std::nullopt;
      if (now && (now->state == JobState::pending || now->state == JobState::completing)) return true;
      const auto pause = may_pass(error) ? backoff.pause() : std::nullopt;
      if (!pause) {
        say(what, error);
        return false;
      }
      unanswered = true;
      budget.pause(*pause);
    }
  }
}

}  // namespace kernmill::exec
