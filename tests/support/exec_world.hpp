#pragma once
#include <string>
#include <vector>

#include "event_pipe.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {

/// A run directory with a plan, in which a test starts kernmill-exec as a conductor would. The task program
/// is fake_task; without `use_mpi` it is started directly, on one rank.
class ExecWorld {
 public:
  explicit ExecWorld(std::vector<Stage> stages);
  ~ExecWorld();
  ExecWorld(const ExecWorld&) = delete;
  ExecWorld& operator=(const ExecWorld&) = delete;

  /// A train stage whose config tells fake_task what to do.
  static Stage task(const std::string& name, Json config, std::vector<std::string> needs = {});
  static Stage command(const std::string& name, const std::string& run, Json more = Json::object());

  /// Journals that an instance has started and committed, as an earlier job would.
  void commit(const std::string& stage, unsigned index, Json metrics,
              const std::vector<Artifact>& artifacts = {});

  /// Starts an attempt and gives its process id; `carry_out` also waits for it.
  int start(const std::string& stage, unsigned index = 0, unsigned attempt = 1,
            const std::vector<std::string>& more = {});
  int carry_out(const std::string& stage, unsigned index = 0, unsigned attempt = 1,
                const std::vector<std::string>& more = {});

  /// The last record of an attempt's journal file.
  [[nodiscard]] Record last_record(const std::string& stage, unsigned index = 0, unsigned attempt = 1) const;
  [[nodiscard]] std::string message(const std::string& stage) const;
  [[nodiscard]] std::string token(const std::string& stage, unsigned index = 0, unsigned attempt = 1) const;
  [[nodiscard]] const RunDirectory& run() const { return run_; }
  [[nodiscard]] std::filesystem::path path() const { return directory_.path(); }
  EventPipe& pipe() { return pipe_; }

  bool use_mpi = false;

 private:
  TemporaryDirectory directory_;
  EventPipe pipe_;
  RunDirectory run_;
};

}  // namespace kernmill::testing
