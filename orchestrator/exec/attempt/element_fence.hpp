#pragma once
#include <chrono>
#include <filesystem>
#include <string>

namespace kernmill::exec {

/// Tells whether a batch system has started the same job again, while this process still runs on a node that
/// it thought lost: its journal file, `<job>.<restart>.*`, is there. Looks only when something new is.
class ElementFence {
 public:
  /// `job`: as the names of journal files begin: "12_3-g2".
  ElementFence(std::filesystem::path journal, std::string job, unsigned restart);
  /// The name of the newer one's file; empty: there is none.
  [[nodiscard]] std::string newer();

 private:
  std::filesystem::path journal_;
  std::string prefix_;
  unsigned restart_;
  std::filesystem::file_time_type seen_, last_;  ///< of the folder: all before is known; at the last look
  std::chrono::steady_clock::time_point since_;  ///< how long it has been that one
};

}  // namespace kernmill::exec
