#pragma once
#include <functional>
#include <string>
#include <vector>

#include "event_pipe.hpp"
#include "kernmill/exec/pack/pack.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {

/// A run with one stage of packed instances, `matrix.i` from 0 on, whose element a test carries out in a
/// process of its own.
class PackWorld {
 public:
  PackWorld(Stage stage, std::uint32_t instances, std::uint32_t slots);

  static Stage command(const std::string& run);

  using Hook = JournalWriter::Hook;
  /// Runs what is left of the element. Gives the exit status, 128 + signal when a signal ended it, 99 when
  /// run_pack threw.
  int carry_out(unsigned restart = 0, const Hook& hook = {});
  /// The same without waiting: gives the process id.
  int start(unsigned restart = 0, const Hook& hook = {});

  [[nodiscard]] InstanceRecord instance(unsigned index) const;
  /// Names of the events of an instance, in the order of the journal.
  [[nodiscard]] std::vector<std::string> events(unsigned index) const;
  [[nodiscard]] std::size_t committed() const;
  [[nodiscard]] std::filesystem::path attempt(unsigned index, unsigned number = 1) const;
  /// Files and directories below `stages/`.
  [[nodiscard]] std::size_t files() const;
  [[nodiscard]] std::string text(const std::string& file) const;
  EventPipe& pipe() { return pipe_; }
  [[nodiscard]] const RunDirectory& run() const { return run_; }

  bool is_local = false;  ///< a conductor has handed out the numbers of the attempts
  std::uint64_t mem = 0;  ///< that the element got
  std::chrono::milliseconds stop_grace{20'000};
  std::chrono::milliseconds flush_interval{100};
  std::function<exec::Admission(InstanceId)> admit;
  ArrayPlan array;

 private:
  [[nodiscard]] std::vector<Record> records() const;
  TemporaryDirectory directory_;
  EventPipe pipe_;
  Plan plan_;
  RunDirectory run_;
};

}  // namespace kernmill::testing
