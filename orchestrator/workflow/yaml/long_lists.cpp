#include "kernmill/workflow/yaml/long_lists.hpp"

#include <cctype>
#include <optional>

#include "kernmill/workflow/text/limits.hpp"
#include "kernmill/workflow/text/unicode.hpp"
#include "kernmill/workflow/value/scalar.hpp"

namespace kernmill {
namespace {

constexpr std::string_view shown_in_its_place = " []";
constexpr std::size_t most_space = 200, most_lines = 2;  ///< between two values

bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

/// A word or number that means the same in every place of a YAML file, or a text in quotes without escapes.
struct PlainItem {
  std::string_view text;
  bool quoted = false;
  std::size_t end = 0;  ///< in the whole text, behind the closing quote
};

bool begins_plain(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('.')) text.remove_prefix(1);
  return !text.empty() && (is_alnum(text[0]) || text[0] == '_' || text[0] == '/');
}

std::optional<PlainItem> item_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {};
  const char quote = text[at];
  if (quote == '"' || quote == '\'') {
    const std::string_view stops = quote == '"' ? "\"\\\n\r" : "'\n\r";
    const std::size_t close = text.find_first_of(stops, at + 1);
    const bool doubled = close + 1 < text.size() && text[close + 1] == quote;
    if (close == std::string_view::npos || text[close] != quote || doubled) return {};
    return PlainItem{text.substr(at + 1, close - at - 1), true, close + 1};
  }
  if (!begins_plain(text.substr(at, 4))) return {};
  std::size_t end = at;
  while (end < text.size() &&
         (is_alnum(text[end]) || std::string_view("_./+-").find(text[end]) != std::string_view::npos))
    ++end;
  return PlainItem{text.substr(at, end - at), false, end};
}

std::size_t behind_space(std::string_view text, std::size_t at, std::string_view space) {
  const std::size_t most = std::min(text.size(), at + most_space);
  std::size_t lines = 0;
  while (at < most && space.find(text[at]) != std::string_view::npos &&
         (lines += text[at] == '\n' ? 1 : 0) <= most_lines)
    ++at;
  return at;
}

/// Walks over the values of a list, from its bracket or its first dash on.
class ItemWalk {
 public:
  ItemWalk(std::string_view text, std::size_t at) : text_(text), at_(at), flow_(text[at] == '[') {
    if (!flow_) indent_ = at - (text.rfind('\n', at) + 1);
    if (flow_) ++at_;
  }

  /// The next one, or nothing where the list ends, or is no such list.
  std::optional<PlainItem> next() { return flow_ ? next_in_brackets() : next_line(); }

  /// Behind the list, once `next` has given nothing; nothing: it is not one.
  [[nodiscard]] std::optional<std::size_t> end() const { return end_; }
  [[nodiscard]] std::size_t position() const { return at_; }

 private:
  std::optional<PlainItem> next_in_brackets() {
    at_ = behind_space(text_, at_, " \n\r");
    if (at_ < text_.size() && text_[at_] == ']') end_ = at_ + 1;
    const auto item = end_ ? std::nullopt : item_at(text_, at_);
    if (!item) return {};
    at_ = behind_space(text_, item->end, " \n\r");
    if (at_ < text_.size() && text_[at_] == ',') return ++at_, item;
    return at_ < text_.size() && text_[at_] == ']' ? item : std::nullopt;
  }

  std::optional<PlainItem> next_line() {
    if (!at_dash()) return {};
    const auto item = item_at(text_, behind_space(text_, at_ + 2, " "));
    if (!item) return {};
    std::size_t line_end = behind_space(text_, item->end, " ");
    if (line_end < text_.size() && text_[line_end] == '\r') ++line_end;
    if (line_end < text_.size() && text_[line_end] != '\n') return {};
    const std::size_t next = std::min(line_end + 1 + indent_, text_.size());
    const bool indented =
        line_end < text_.size() &&
        text_.substr(line_end + 1, indent_).find_first_not_of(' ') == std::string_view::npos;
    at_ = indented ? next : text_.size();
    if (!at_dash()) end_ = line_end;
    return item;
  }

  [[nodiscard]] bool at_dash() const { return !end_ && text_.substr(at_, 2) == "- "; }

  std::string_view text_;
  std::size_t at_;
  bool flow_;
  std::size_t indent_ = 0;
  std::optional<std::size_t> end_;
};

/// The list that begins at a bracket or dash, if it is long; `at` comes behind what was looked at.
std::optional<LongList> list_at(std::string_view text, std::size_t& at, std::size_t begin) {
  LongList list{begin, 0, at, 0};
  ItemWalk walk(text, at);
  while (walk.next()) ++list.item_count;
  at = std::max(at + 1, walk.end().value_or(std::min(walk.position(), text.size())));
  list.end = walk.end().value_or(0);
  if (list.end == 0 || list.item_count < limits::long_list) return {};
  return list;
}

/// Where a list of lines begins behind the `key:` whose line ends at `line_end`, or npos.
std::size_t first_dash(std::string_view text, std::size_t line_end) {
  if (line_end == 0 || text[line_end - 1] != ':') return std::string_view::npos;
  const std::size_t dash = text.find_first_not_of(' ', line_end + 1);
  return dash != std::string_view::npos && text.substr(dash, 2) == "- " ? dash : std::string_view::npos;
}

/// Items that are not plain may follow, behind comments and blank lines: then it is no list of plain ones.
bool goes_on(std::string_view text, const LongList& list) {
  const std::size_t indent = list.place - (text.rfind('\n', list.place) + 1);
  std::size_t at = list.end;
  while ((at = text.find_first_not_of(" \r\n", at)) != std::string_view::npos && text[at] == '#')
    at = text.find('\n', at);
  if (at == std::string_view::npos) return false;
  return text[at] == '-' && at - (text.rfind('\n', at) + 1) == indent;
}

}  // namespace

std::vector<LongList> find_long_lists(std::string_view text) {
  std::vector<LongList> lists;
  for (std::size_t at = text.find_first_of("[\n"); at != std::string_view::npos;
       at = text.find_first_of("[\n", at)) {
    if (text[at] == '[') {
      const std::size_t begin = at;
      if (begin > 0 && std::string_view(" \n[,{").find(text[begin - 1]) == std::string_view::npos) {
        ++at;  // in the midst of a word
        continue;
      }
      if (auto list = list_at(text, at, begin)) lists.push_back(*list);
      continue;
    }
    const std::size_t line_end = at;
    at = first_dash(text, line_end);
    if (at == std::string_view::npos) {
      at = line_end + 1;
    } else if (auto list = list_at(text, at, line_end); list && !goes_on(text, *list)) {
      lists.push_back(*list);
    }
  }
  return lists;
}

std::string without_lists(std::string_view text, const std::vector<LongList>& lists) {
  std::string rest;
  std::size_t at = 0;
  for (const LongList& list : lists) {
    rest += text.substr(at, list.begin - at);
    rest += shown_in_its_place;
    at = list.end;
  }
  return rest += text.substr(at);
}

std::size_t place_in_whole(std::size_t offset, const std::vector<LongList>& lists) {
  std::size_t left_out = 0;
  for (const LongList& list : lists) {
    const std::size_t begin = list.begin - left_out;
    if (offset <= begin) break;
    if (offset < begin + shown_in_its_place.size()) return list.place;
    left_out += list.end - list.begin - shown_in_its_place.size();
  }
  return offset + left_out;
}

Value::List read_long_list(const std::shared_ptr<const SourceFile>& file, const LongList& list,
                           const Where& first) {
  const std::string_view text = file->text;
  Value::List values;
  values.reserve(list.item_count);
  ItemWalk walk(text, list.place);
  Where where = first;
  std::size_t seen = list.place;
  while (const auto item = walk.next()) {
    const auto begin = static_cast<std::size_t>(item->text.data() - text.data()) - (item->quoted ? 1 : 0);
    const std::string_view passed = text.substr(seen, begin - seen);
    for (const char c : passed)
      if (c == '\n') where = {file, where.line + 1, 1, 1};
    const std::size_t line = passed.rfind('\n') + 1;  // 0: none of them
    where.column += static_cast<std::uint32_t>(character_count(passed.substr(line)));
    where.length = static_cast<std::uint32_t>(
        std::max<std::size_t>(character_count(text.substr(begin, item->end - begin)), 1));
    seen = begin;
    Value value{{}, where, std::string(item->text)};
    if (item->quoted)
      value.data = value.text;
    else
      value.data = plain_scalar(value.text);
    if (value.is_null()) {
      value.text.clear();
      value.where.length = 1;
    }
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace kernmill
