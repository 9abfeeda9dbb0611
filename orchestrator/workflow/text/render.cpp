#include <algorithm>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {
namespace {

constexpr std::size_t tab_width = 4;
constexpr std::size_t widest_line = 160;  ///< of a source line; a longer one is cut around its caret
constexpr std::size_t context_left = 60;  ///< columns kept before the caret of a line that is cut

struct Style {
  const char* bold = "";
  const char* severity = "";
  const char* help = "";
  const char* gutter = "";
  const char* off = "";
};

Style style_of(Diagnostic::Severity severity, bool color) {
  if (!color) return {};
  return {"\x1b[1m", severity == Diagnostic::Severity::error ? "\x1b[1;31m" : "\x1b[1;35m", "\x1b[1;36m",
          "\x1b[1;34m", "\x1b[0m"};
}

/// Finds lines of texts; one that follows the last one is found from there.
class LineFinder {
 public:
  std::string_view line(const Where& where) {
    if (where.file != file_ || where.line < line_) {
      file_ = where.file;
      line_ = 1;
      rest_ = file_->text;
    }
    for (; line_ < where.line; ++line_) {
      const auto end = rest_.find('\n');
      if (end == std::string_view::npos) return {};
      rest_.remove_prefix(end + 1);
    }
    std::string_view text = rest_.substr(0, rest_.find('\n'));
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    return text;
  }

 private:
  std::shared_ptr<const SourceFile> file_;
  std::uint32_t line_ = 1;
  std::string_view rest_;
};

/// One character as it is shown: tabs as spaces, control characters and broken bytes as U+FFFD, so that a
/// file cannot steer the terminal.
struct Cell {
  std::string text;
  std::size_t width = 1;
};

std::vector<Cell> cells_of(std::string_view line) {
  std::vector<Cell> cells;
  while (!line.empty()) {
    const auto point = decode(line);
    const std::size_t bytes = point ? point->bytes : 1;
    const bool control = !point || is_control(point->value);
    if (point && point->value == '\t')
      cells.push_back({std::string(tab_width, ' '), tab_width});
    else if (control)
      cells.push_back({"\uFFFD", 1});
    else
      cells.push_back({std::string(line.substr(0, bytes)), terminal_width(point->value)});
    line.remove_prefix(bytes);
  }
  return cells;
}

std::string safe(std::string_view text) {
  std::string result;
  for (const Cell& cell : cells_of(text)) result += cell.text;
  return result;
}

struct Excerpt {
  std::string line;
  std::string carets;
};

/// The line without its first `count` characters.
std::string_view without_first(std::string_view line, std::size_t count) {
  for (; count > 0 && !line.empty(); --count) {
    const auto point = decode(line);
    line.remove_prefix(point ? point->bytes : 1);
  }
  return line;
}

Excerpt excerpt_of(const Where& where, LineFinder& lines) {
  const std::string_view line = lines.line(where);
  const bool cut = !without_first(line, widest_line).empty();
  const std::size_t column = where.column == 0 ? 0 : where.column - 1;
  const std::size_t begin = cut && column > context_left ? column - context_left : 0;
  std::string_view rest = without_first(line, begin);
  const std::size_t bytes = rest.size() - without_first(rest, widest_line).size();
  const auto cells = cells_of(rest.substr(0, bytes));
  const std::size_t first = std::min(column - begin, cells.size());
  const std::size_t last = std::min<std::size_t>(first + std::max(where.length, 1U), cells.size());
  Excerpt excerpt;
  if (begin > 0) excerpt = {"...", "   "};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    excerpt.line += cells[i].text;
    if (i < first) excerpt.carets.append(cells[i].width, ' ');
    if (i >= first && i < last) excerpt.carets.append(cells[i].width, '^');
  }
  if (bytes < rest.size()) excerpt.line += "...";
  if (first >= last) excerpt.carets += '^';
  return excerpt;
}

std::string place(const Where& where) {
  if (!where.file) return "";
  if (where.line == 0) return fmt::format("{}: ", safe(where.file->path));
  return fmt::format("{}:{}:{}: ", safe(where.file->path), where.line, where.column);
}

std::string rendered(const Diagnostic& diagnostic, bool color, LineFinder& lines) {
  const Style style = style_of(diagnostic.severity, color);
  const Where& where = diagnostic.where;
  const char* word = diagnostic.severity == Diagnostic::Severity::error ? "error:" : "warning:";
  std::string out = fmt::format("{}{}{}{}{}{} {}{}{}\n", style.bold, place(where), style.off, style.severity,
                                word, style.off, style.bold, safe(diagnostic.message), style.off);
  if (where.file && where.line > 0 && !where.file->text.empty()) {
    const Excerpt excerpt = excerpt_of(where, lines);
    out += fmt::format("{}{:>5} |{} {}\n", style.gutter, where.line, style.off, excerpt.line);
    out += fmt::format("{}      |{} {}{}{}\n", style.gutter, style.off, style.severity, excerpt.carets,
                       style.off);
  }
  if (!diagnostic.help.empty())
    out += fmt::format("{}help:{} {}\n", style.help, style.off, safe(diagnostic.help));
  return out;
}

}  // namespace

std::string render(const Diagnostic& diagnostic, bool color) {
  LineFinder lines;
  return rendered(diagnostic, color, lines);
}

std::string render(const Diagnostics& diagnostics, bool color) {
  std::string out;
  LineFinder lines;
  std::size_t errors = 0;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    out += rendered(diagnostic, color, lines) + "\n";
    if (diagnostic.severity == Diagnostic::Severity::error) ++errors;
  }
  const std::size_t warnings = diagnostics.all().size() - errors;
  if (errors > 0 && warnings > 0)
    out += fmt::format("{}, {}\n", counted(errors, "error"), counted(warnings, "warning"));
  else if (errors > 0)
    out += counted(errors, "error") + "\n";
  else if (warnings > 0)
    out += counted(warnings, "warning") + "\n";
  return out;
}

}  // namespace kernmill
