#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/workflow/text/source.hpp"

namespace kernmill {

/// One mistake of the user: what is wrong, where, and what to do about it.
struct Diagnostic {
  enum class Severity { error, warning };
  Severity severity = Severity::error;
  Where where;
  std::string message;  ///< one sentence, no full stop: what is wrong
  std::string help;     ///< what to do; may be empty
};

struct TooManyMistakes {};  ///< thrown by Diagnostics where `stop_at` says so

/// Collects the mistakes of a whole workflow, so that all are shown at once.
class Diagnostics {
 public:
  /// The mistake behind so many of them throws TooManyMistakes; a warning is dropped then.
  void stop_at(std::size_t mistakes) { most_ = mistakes; }
  /// Without mistakes, and with room for as many as there are left here.
  [[nodiscard]] Diagnostics fresh() const;
  void add(const Diagnostics& more);
  void error(Where where, std::string message, std::string help = {});
  void warning(Where where, std::string message, std::string help = {});
  [[nodiscard]] bool has_errors() const;
  [[nodiscard]] const std::vector<Diagnostic>& all() const { return list_; }
  /// By line and column, each mistake once.
  void sort();

 private:
  void add(Diagnostic diagnostic);
  std::vector<Diagnostic> list_;
  std::size_t most_ = std::string::npos;
};

/// `file:line:col: error: message`, the source line, a caret line, `help: ...`; ends with a newline.
std::string render(const Diagnostic& diagnostic, bool color);
/// All of them, and a closing line that counts them.
std::string render(const Diagnostics& diagnostics, bool color);

}  // namespace kernmill
