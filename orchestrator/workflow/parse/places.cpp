#include "kernmill/workflow/parse/places.hpp"

#include <algorithm>

namespace kernmill {
namespace {

std::size_t occurrences(std::string_view text, std::string_view word, std::size_t before) {
  std::size_t count = 0;
  for (auto at = text.find(word); at < before; at = text.find(word, at + 1)) ++count;
  return count;
}

/// Where the file spells the value as it is, in quotes or without, or npos.
std::size_t verbatim(std::string_view source, std::size_t at, std::string_view text) {
  if (at < source.size() && (source[at] == '"' || source[at] == '\'')) ++at;
  return source.substr(std::min(at, source.size())).starts_with(text) ? at : std::string_view::npos;
}

/// The place of a part that begins with `${{` at `open`, somewhere behind `at`. The file spells it as the
/// value does, unless quotes escape something in it.
std::size_t find_part(std::string_view source, std::size_t at, std::string_view text, std::string_view part,
                      std::size_t open) {
  constexpr std::size_t widest_escape = 8;  // \\UNNNNNNNN is 10 for 4 bytes; folded lines are indented
  source = source.substr(0, std::min(source.size(), at + text.size() * widest_escape + 4096));
  std::size_t skip = occurrences(text, part, open);
  for (at = source.find(part, at); at != std::string_view::npos && skip > 0; --skip)
    at = source.find(part, at + 1);
  return at;
}

}  // namespace

const LineIndex& SourceLines::of(const std::shared_ptr<const SourceFile>& file) {
  const auto found = known_.find(file);
  return found != known_.end() ? found->second : known_.emplace(file, LineIndex(file->text)).first->second;
}

Where place_in(const Value& value, std::size_t offset, std::size_t length, SourceLines& lines) {
  const auto* string = std::get_if<std::string>(&value.data);
  if (string == nullptr || !value.where.file || value.where.line == 0) return value.where;
  const std::string_view text = *string;
  const std::size_t open = text.rfind("${{", offset);
  if (open == std::string_view::npos) return value.where;
  const std::size_t shown = std::min(offset + length, text.size());
  const std::string_view source = value.where.file->text;
  const LineIndex& index = lines.of(value.where.file);
  const std::size_t begin = index.offset(value.where);
  std::size_t at = verbatim(source, begin, text.substr(0, shown));
  if (at != std::string_view::npos) return index.where(value.where.file, at + offset, length);
  at = find_part(source, begin, text, text.substr(open, shown - open), open);
  if (at == std::string_view::npos) return value.where;
  return index.where(value.where.file, at + (offset - open), length);
}

}  // namespace kernmill
