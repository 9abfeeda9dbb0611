#include "kernmill/workflow/yaml/value_builder.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/workflow/text/limits.hpp"
#include "kernmill/workflow/value/scalar.hpp"

namespace kernmill {
namespace {

constexpr std::size_t longest_caret = 4096;  ///< bytes that are underlined

/// Values in `value`, and the bytes of their texts.
void measure(const Value& value, std::size_t& values, std::size_t& bytes) {
  ++values;
  bytes += value.text.size();
  if (const auto* list = std::get_if<Value::List>(&value.data))
    for (const Value& item : *list) measure(item, values, bytes);
  if (const auto* map = std::get_if<Value::Map>(&value.data))
    for (const auto& entry : *map) {
      bytes += entry.key.size();
      measure(entry.value, values, bytes);
    }
}

}  // namespace

std::size_t closed_span(std::string_view text, std::size_t from, std::size_t most) {
  const char open = text[from];
  const char close = open == '[' ? ']' : open == '{' ? '}' : open;
  int depth = 0;
  const std::size_t end = most < text.size() - from ? from + most : text.size();
  for (std::size_t at = from; at < end && text[at] != '\n'; ++at) {
    if (open == '"' && text[at] == '\\') {
      ++at;
      continue;
    }
    if (text[at] == close && at > from && (open == close || --depth == 0)) return at - from + 1;
    if (text[at] == open && open != close) ++depth;
  }
  return 1;
}

/// Past an anchor and a tag: a node's mark is where its properties begin.
std::size_t ValueBuilder::skip_properties(std::size_t at) const {
  std::size_t here = at;
  while (here < text_.size() && (text_[here] == '&' || text_[here] == '!')) {
    here = text_.find_first_of(" \t\r\n", here);
    here = here == std::string_view::npos ? here : text_.find_first_not_of(" \t", here);
    if (here == std::string_view::npos || text_[here] == '\n' || text_[here] == '\r') return at;
  }
  return here;
}

std::size_t ValueBuilder::span(std::size_t at, const std::string* scalar) const {
  if (at >= text_.size()) return 1;
  if (std::string_view("\"'[{").find(text_[at]) != std::string_view::npos)
    return closed_span(text_, at, longest_caret);
  return scalar != nullptr && text_.substr(at).starts_with(*scalar) ? std::max<std::size_t>(scalar->size(), 1)
                                                                    : 1;
}

std::size_t ValueBuilder::place(const YAML::Mark& mark) {
  position_ = std::max(position_, static_cast<std::size_t>(mark.pos));
  return place_in_whole(static_cast<std::size_t>(mark.pos), lists_);
}

Where ValueBuilder::where(const YAML::Mark& mark, const std::string* scalar) {
  if (mark.is_null() || mark.pos < 0) return {file_, 0, 0, 1};
  const std::size_t at = skip_properties(place(mark));
  return lines_.where(file_, at, span(at, scalar));
}

void ValueBuilder::give_up(const Where& where, std::string message, std::string help) {
  diagnostics_.error(where, std::move(message), std::move(help));
  throw UnreadableValue{};
}

void ValueBuilder::count(std::size_t values, const Where& where) {
  values_ += values;
  if (values_ > limits::values)
    give_up(where, fmt::format("this file has more than {} values, with what aliases repeat", limits::values),
            "keep data in files of their own, and name them here");
}

void ValueBuilder::repeat(std::size_t values, std::size_t bytes, const Where& where) {
  count(values, where);
  repeated_bytes_ += bytes;
  if (repeated_bytes_ > limits::repeated_bytes)
    give_up(where,
            fmt::format("aliases repeat more than {} MiB of text in this file", limits::repeated_bytes >> 20),
            "put a long text into a file, and name that");
}

bool ValueBuilder::is_key_next() const {
  return !open_.empty() && open_.back().value.is_map() && open_.back().awaits_key;
}

decltype(Value::data) ValueBuilder::typed(const std::string& tag, const std::string& text,
                                          const Where& where) {
  if (tag == "?" || tag.empty()) return plain_scalar(text);
  if (tag == "!" || tag == "tag:yaml.org,2002:str") return text;
  if (tag == "tag:yaml.org,2002:float") {
    auto data = plain_scalar(text);
    if (const auto* whole = std::get_if<std::int64_t>(&data)) return static_cast<double>(*whole);
    return data;
  }
  if (tag.starts_with("tag:yaml.org,2002:")) return plain_scalar(text);
  diagnostics_.error(where, fmt::format("unknown YAML tag '{}'", tag), "leave the tag out");
  return text;
}

void ValueBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  Node node;
  node.value.where = where(mark, nullptr);
  count(1, node.value.where);
  finish(std::move(node), anchor);
}

void ValueBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                            const std::string& text) {
  Node node;
  node.value.where = where(mark, &text);
  count(1, node.value.where);
  node.is_scalar = true;
  node.value.text = text;
  node.is_merge = text == "<<" && tag != "!";
  if (is_key_next() && anchor == 0)
    node.value.data = text;
  else
    node.value.data = typed(tag, text, node.value.where);
  finish(std::move(node), anchor);
}

void ValueBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchored_.find(anchor);
  const Where here = where(mark, nullptr);
  if (found == anchored_.end())
    give_up(here, "this alias stands inside the value that it repeats", "an alias cannot contain itself");
  repeat(found->second.values, found->second.bytes, here);
  finish(found->second.node, 0);
}

void ValueBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                                   YAML::EmitterStyle::value) {
  open(mark, anchor, Value::List{});
}

void ValueBuilder::OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                              YAML::EmitterStyle::value) {
  open(mark, anchor, Value::Map{});
}

void ValueBuilder::open(const YAML::Mark& mark, YAML::anchor_t anchor, decltype(Value::data) empty) {
  const Where here = where(mark, nullptr);
  count(1, here);
  if (open_.size() > limits::depth)
    give_up(here, fmt::format("values are nested deeper than {} levels", limits::depth),
            "take some of the brackets, or of the indentation, away");
  Open begun;
  begun.value = {std::move(empty), here, ""};
  begun.anchor = anchor;
  open_.push_back(std::move(begun));
  if (open_.back().value.is_list() && mark.pos >= 0) fill_in(here, skip_properties(place(mark)));
}

/// The values of the long list at this place, if there is one.
void ValueBuilder::fill_in(const Where& where, std::size_t place) {
  const auto list = std::lower_bound(lists_.begin(), lists_.end(), place,
                                     [](const LongList& l, std::size_t at) { return l.place < at; });
  if (list == lists_.end() || list->place != place) return;
  ++lists_met_;
  count(list->item_count, where);
  open_.back().value.data = read_long_list(file_, *list, where);
}

void ValueBuilder::close() {
  Open done = std::move(open_.back());
  open_.pop_back();
  for (const Value& source : done.merges) {
    const auto* list = std::get_if<Value::List>(&source.data);
    if (list == nullptr) merge(done, source);
    if (list != nullptr)
      for (const Value& item : *list) merge(done, item);
  }
  finish({std::move(done.value), false, false}, done.anchor);
}

void ValueBuilder::keep(const Node& node, YAML::anchor_t anchor) {
  Anchored anchored{node, 0, 0};
  measure(node.value, anchored.values, anchored.bytes);
  repeat(anchored.values, anchored.bytes, node.value.where);
  anchored_[anchor] = std::move(anchored);
}

void ValueBuilder::finish(Node node, YAML::anchor_t anchor) {
  if (anchor != 0) keep(node, anchor);
  if (open_.empty()) {
    root_ = std::move(node.value);
    has_root_ = true;
    return;
  }
  Open& parent = open_.back();
  if (auto* list = std::get_if<Value::List>(&parent.value.data)) {
    list->push_back(std::move(node.value));
  } else if (parent.awaits_key) {
    parent.key = std::move(node);
    parent.awaits_key = false;
  } else {
    parent.awaits_key = true;
    add_entry(parent, std::move(node.value));
  }
}

void ValueBuilder::add_entry(Open& map, Value value) {
  Node key = std::move(map.key);
  const Where& key_where = key.value.where;
  if (!key.is_scalar) return diagnostics_.error(key_where, "a key must be a word");
  if (key.is_merge) return map.merges.push_back(std::move(value));
  auto& entries = std::get<Value::Map>(map.value.data);
  const auto [first, is_new] = map.lines.emplace(key.value.text, key_where.line);
  if (!is_new)
    return diagnostics_.error(key_where, fmt::format("the key '{}' is given twice", key.value.text),
                              fmt::format("it is first given on line {}; keep one of them", first->second));
  if (entries.size() == limits::keys)
    give_up(key_where, fmt::format("this map has more than {} keys", limits::keys),
            "many values of one kind are a list, or a matrix");
  if (value.is_null()) value.where = key_where;
  entries.push_back({std::move(key.value.text), key_where, std::move(value)});
}

void ValueBuilder::merge(Open& map, const Value& source) {
  const auto* from = std::get_if<Value::Map>(&source.data);
  if (from == nullptr)
    return diagnostics_.error(source.where, "a merge key (<<) takes a map or a list of maps");
  auto& entries = std::get<Value::Map>(map.value.data);
  for (const auto& entry : *from)
    if (map.lines.emplace(entry.key, entry.key_where.line).second) entries.push_back(entry);
}

Value ValueBuilder::document() {
  if (!has_root_ || root_.is_null()) root_.where = {file_, 0, 0, 1};
  return std::move(root_);
}

}  // namespace kernmill
