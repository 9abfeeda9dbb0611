#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "kernmill/plan/plan.hpp"

/// Private to run/: the lines of a journal file, read without making a tree of each. A run of 10,000
/// instances has 20,000 of them, and `status` answers at once.
namespace kernmill {

/// One line, valid while it is being looked at. A value that is missing, or of another type than asked for,
/// is a std::invalid_argument, unless a fallback for a missing one is given.
class JournalLine {
 public:
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] std::string_view text(std::string_view key) const;
  [[nodiscard]] std::string_view text(std::string_view key, std::string_view fallback) const;
  [[nodiscard]] std::uint64_t number(std::string_view key) const;
  [[nodiscard]] std::int64_t number(std::string_view key, std::int64_t fallback) const;
  [[nodiscard]] double real(std::string_view key, double fallback) const;
  [[nodiscard]] bool flag(std::string_view key, bool fallback) const;
  /// A copy of a value, or of the whole line.
  [[nodiscard]] Json json(std::string_view key) const;
  [[nodiscard]] Json json() const;
  /// A number of a stage's instances or attempts.
  [[nodiscard]] unsigned small_number(std::string_view key) const;
  /// The JSON text of what a commit left: a map of metrics, a list of artifacts. Empty when it is missing, or
  /// holds nothing.
  [[nodiscard]] std::string metrics_text(std::string_view key) const;
  [[nodiscard]] std::string artifacts_text(std::string_view key) const;

  [[nodiscard]] std::string_view event() const { return text("event"); }
  [[nodiscard]] std::string_view time() const { return text("time", ""); }
  [[nodiscard]] const std::filesystem::path& file() const { return *file_; }
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  friend class JournalLines;
  struct Values;
  JournalLine(const Values& values, const std::filesystem::path& file, std::size_t line)
      : values_(&values), file_(&file), line_(line) {}
  const Values* values_;
  const std::filesystem::path* file_;
  std::size_t line_;
};

/// A line of JSON with a checksum of what stands before it as its last member.
std::string with_checksum(std::string line);

/// Calls `take` with each of these lines of a file that was written whole; what stands behind the last end of
/// line was cut short, and is none. `before` lines of the file stand before them; gives how many there are
/// with them. Throws std::runtime_error with file and line for a line that is damaged, and for one that a
/// newer Kernmill wrote.
std::size_t for_each_line(std::string lines, const std::filesystem::path& file,
                          const std::function<void(const JournalLine&)>& take, std::size_t before = 0);

}  // namespace kernmill
