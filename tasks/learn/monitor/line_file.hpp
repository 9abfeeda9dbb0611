#pragma once
#include <filesystem>

#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// A file to which lines of JSON are appended, each by one write: who reads meanwhile, and who reads after a
/// crash, finds each whole, or without its end. Nothing is kept open, so that other nodes see a line at once.
class LineFile {
 public:
  /// What is there already is gone. Without a name nothing is written.
  explicit LineFile(std::filesystem::path file);
  /// When it fails for the first time that is told on stderr; whoever computes goes on.
  void append(const Json& line);

 private:
  void write(std::string text, int flags);

  std::filesystem::path file_;
  bool is_torn_ = false;  ///< the last line is not whole
  bool has_complained_ = false;
};

}  // namespace kernmill::tasks
