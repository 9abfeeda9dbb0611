#include "kernmill/workflow/yaml/yaml_reader.hpp"

#include <map>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "kernmill/workflow/text/line_index.hpp"
#include "kernmill/workflow/value/scalar.hpp"

namespace kernmill {
namespace {

constexpr int deepest = 100;
constexpr std::size_t most_values = 4'000'000;  ///< after aliases: what stops a "billion laughs" file

struct Unreadable {};  ///< the rest of the file cannot be made sense of; it has been reported

class Reader {
 public:
  Reader(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics)
      : file_(std::move(file)), diagnostics_(&diagnostics), text_(file_->text), lines_(text_) {}

  std::optional<Value> read();

 private:
  Value value(const YAML::Node& node, int depth);
  Value::List list(const YAML::Node& node, int depth);
  Value::Map map(const YAML::Node& node, int depth);
  void merge(Value::Map& into, const YAML::Node& node, int depth);
  decltype(Value::data) scalar(const YAML::Node& node, const Where& where);
  void count_value(const Where& where, int depth);
  void report(const YAML::Exception& error);
  bool is_one_document();

  [[nodiscard]] Where where(const YAML::Mark& mark, const YAML::Node* node = nullptr) const;
  [[nodiscard]] std::size_t span(std::size_t at, const YAML::Node& node) const;
  [[nodiscard]] std::size_t skip_properties(std::size_t at) const;

  std::shared_ptr<const SourceFile> file_;
  Diagnostics* diagnostics_;
  std::string_view text_;
  LineIndex lines_;
  std::size_t values_ = 0;
};

/// Past an anchor and a tag: a node's mark is where its properties begin.
std::size_t Reader::skip_properties(std::size_t at) const {
  std::size_t here = at;
  while (here < text_.size() && (text_[here] == '&' || text_[here] == '!')) {
    here = text_.find_first_of(" \t\r\n", here);
    here = here == std::string_view::npos ? here : text_.find_first_not_of(" \t", here);
    if (here == std::string_view::npos || text_[here] == '\n' || text_[here] == '\r') return at;
  }
  return here;
}

/// Bytes from `from` to the bracket or quote that closes what begins there, or 1 when it is on another line.
std::size_t closed_span(std::string_view text, std::size_t from) {
  const char open = text[from];
  const char close = open == '[' ? ']' : open == '{' ? '}' : open;
  int depth = 0;
  for (std::size_t at = from; at < text.size() && text[at] != '\n'; ++at) {
    if (open == '"' && text[at] == '\\') {
      ++at;
      continue;
    }
    if (text[at] == close && at > from && (open == close || --depth == 0)) return at - from + 1;
    if (text[at] == open && open != close) ++depth;
  }
  return 1;
}

std::size_t Reader::span(std::size_t at, const YAML::Node& node) const {
  if (at >= text_.size()) return 1;
  const char first = text_[at];
  if (first == '"' || first == '\'' || first == '[' || first == '{') return closed_span(text_, at);
  if (!node.IsScalar()) return 1;
  const std::string& scalar = node.Scalar();
  if (text_.substr(at).starts_with(scalar)) return std::max<std::size_t>(scalar.size(), 1);
  return 1;
}

Where Reader::where(const YAML::Mark& mark, const YAML::Node* node) const {
  if (mark.is_null() || mark.line < 0 || mark.column < 0) return {file_, 0, 0, 1};
  std::size_t at = lines_.offset(static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column));
  if (node == nullptr) return lines_.where(file_, at, 1);
  at = skip_properties(at);
  return lines_.where(file_, at, span(at, *node));
}

void Reader::count_value(const Where& where, int depth) {
  if (depth > deepest) {
    diagnostics_->error(where, fmt::format("values are nested deeper than {} levels", deepest),
                        "an alias that contains itself does that, too");
    throw Unreadable{};
  }
  if (++values_ > most_values) {
    diagnostics_->error(where, fmt::format("aliases expand this file to more than {} values", most_values));
    throw Unreadable{};
  }
}

decltype(Value::data) Reader::scalar(const YAML::Node& node, const Where& where) {
  const std::string& tag = node.Tag();
  const std::string& text = node.Scalar();
  if (tag == "?" || tag.empty()) return plain_scalar(text);
  if (tag == "!" || tag == "tag:yaml.org,2002:str") return text;
  if (tag == "tag:yaml.org,2002:float") {
    auto data = plain_scalar(text);
    if (const auto* whole = std::get_if<std::int64_t>(&data)) return static_cast<double>(*whole);
    return data;
  }
  if (tag.starts_with("tag:yaml.org,2002:")) return plain_scalar(text);
  diagnostics_->error(where, fmt::format("unknown YAML tag '{}'", tag), "leave the tag out");
  return text;
}

Value::List Reader::list(const YAML::Node& node, int depth) {
  Value::List list;
  for (const auto& item : node) list.push_back(value(item, depth + 1));
  return list;
}

void Reader::merge(Value::Map& into, const YAML::Node& node, int depth) {
  const auto add = [&](const YAML::Node& source) {
    if (!source.IsMap()) {
      diagnostics_->error(where(source.Mark(), &source), "a merge key (<<) takes a map or a list of maps");
      return;
    }
    for (auto& entry : map(source, depth + 1)) {
      const auto same = [&](const Value::Entry& have) { return have.key == entry.key; };
      if (std::none_of(into.begin(), into.end(), same)) into.push_back(std::move(entry));
    }
  };
  if (!node.IsSequence()) return add(node);
  for (const auto& source : node) add(source);
}

Value::Map Reader::map(const YAML::Node& node, int depth) {
  count_value(where(node.Mark(), &node), depth);
  Value::Map map;
  std::map<std::string, std::uint32_t> lines;
  std::vector<YAML::Node> merges;
  for (const auto& entry : node) {
    const Where key_where = where(entry.first.Mark(), &entry.first);
    if (!entry.first.IsScalar()) {
      diagnostics_->error(key_where, "a key must be a word");
      continue;
    }
    const std::string& key = entry.first.Scalar();
    if (key == "<<" && entry.first.Tag() != "!") {
      merges.push_back(entry.second);
      continue;
    }
    const auto [first, is_new] = lines.emplace(key, key_where.line);
    if (!is_new) {
      diagnostics_->error(key_where, fmt::format("the key '{}' is given twice", key),
                          fmt::format("it is first given on line {}; keep one of them", first->second));
      continue;
    }
    Value item = value(entry.second, depth + 1);
    if (item.is_null()) item.where = key_where;
    map.push_back({key, key_where, std::move(item)});
  }
  for (const YAML::Node& source : merges) merge(map, source, depth);
  return map;
}

Value Reader::value(const YAML::Node& node, int depth) {
  Value value;
  value.where = where(node.Mark(), &node);
  count_value(value.where, depth);
  if (node.IsSequence()) {
    value.data = list(node, depth);
  } else if (node.IsMap()) {
    value.data = map(node, depth);
  } else if (node.IsScalar()) {
    value.text = node.Scalar();
    value.data = scalar(node, value.where);
  }
  return value;
}

/// Looks on while yaml-cpp reads a document, and keeps where it begins.
class DocumentStart : public YAML::EventHandler {
 public:
  YAML::Mark mark;
  void OnDocumentStart(const YAML::Mark& at) override { mark = at; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}
};

/// YAML::LoadAll never ends on a file that begins with a comma: each of its documents is empty, and takes
/// nothing away. So two documents are looked at, and no more.
bool Reader::is_one_document() {
  std::istringstream stream(file_->text);
  YAML::Parser parser(stream);
  DocumentStart first, second;
  if (!parser.HandleNextDocument(first) || !parser.HandleNextDocument(second)) return true;
  if (first.mark.pos == second.mark.pos)
    diagnostics_->error(where(first.mark), "this is not valid YAML: no value can begin like this");
  else
    diagnostics_->error(where(second.mark), "a second YAML document begins here",
                        "keep one workflow in a file, without '---' lines between documents");
  return false;
}

/// The last bracket that is opened and not closed, or npos; quotes and comments are passed over.
std::size_t unclosed_bracket(std::string_view text) {
  std::vector<std::size_t> open;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins_word =
        at == 0 || std::string_view(" \t\n[{,:").find(text[at - 1]) != std::string_view::npos;
    if (text[at] == '#' && begins_word) at = std::min(text.find('\n', at), text.size() - 1);
    const char c = text[at];
    if ((c == '"' || c == '\'') && begins_word) at += closed_span(text, at) - 1;
    if (c == '[' || c == '{') open.push_back(at);
    if ((c == ']' || c == '}') && !open.empty()) open.pop_back();
  }
  return open.empty() ? std::string_view::npos : open.back();
}

/// yaml-cpp's errors, where and in the words in which a user looks for them.
void Reader::report(const YAML::Exception& error) {
  const Where there = where(error.mark);
  const std::size_t begin = there.line == 0 ? 0 : lines_.offset(there.line - 1, 0);
  const std::size_t bracket = unclosed_bracket(text_);
  if (begin < text_.size() && text_[begin] == '\t')
    return diagnostics_->error(lines_.where(file_, begin, 1), "YAML takes no tabs for indentation",
                               "use spaces");
  if (error.msg.find("flow not found") != std::string::npos && bracket != std::string_view::npos)
    return diagnostics_->error(lines_.where(file_, bracket, 1),
                               fmt::format("this '{}' is never closed", text_[bracket]));
  if (error.msg.find("anchor is not defined") != std::string::npos)
    return diagnostics_->error(
        there, "there is no anchor of this name above",
        "'&name' marks a value, '*name' repeats it; quote a text that begins with '*'");
  diagnostics_->error(there, fmt::format("this is not valid YAML: {}", error.msg),
                      "check colons, quotes, brackets and indentation on this line and the one before");
}

std::optional<Value> Reader::read() {
  if (const std::size_t at = first_invalid_byte(text_); at != std::string_view::npos) {
    diagnostics_->error(lines_.where(file_, at, 1), "this is not UTF-8 text",
                        "save the file as UTF-8, without NUL bytes");
    return std::nullopt;
  }
  try {
    if (!is_one_document()) return std::nullopt;
    const YAML::Node document = YAML::Load(file_->text);
    Value empty;
    empty.where = {file_, 0, 0, 1};
    return document.IsNull() ? empty : value(document, 0);
  } catch (const Unreadable&) {
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    report(error);
    return std::nullopt;
  }
}

}  // namespace

namespace {

std::string_view without_space_around(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

/// Bytes from the first one, a bracket or a quote, to what closes it; npos when nothing does.
std::size_t closed_value(std::string_view text) {
  if (text.starts_with('"') || text.starts_with('\'')) {
    const std::size_t size = closed_span(text, 0);
    const bool doubled = text.starts_with('\'') && size > 1 && size < text.size() && text[size] == '\'';
    if (!doubled) return size > 1 ? size : std::string_view::npos;
    const std::size_t more = closed_value(text.substr(size));
    return more == std::string_view::npos ? more : size + more;
  }
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool begins_word =
        at > 0 && std::string_view(" \t\n[{,:").find(text[at - 1]) != std::string_view::npos;
    if ((c == '"' || c == '\'') && begins_word) at += closed_span(text, at) - 1;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && --depth == 0) return at + 1;
  }
  return std::string_view::npos;
}

/// Whether all of it is one list, map or quoted text, with nothing behind it.
bool is_closed_value(std::string_view text) {
  return !text.empty() && std::string_view("[{\"'").find(text[0]) != std::string_view::npos &&
         closed_value(text) == text.size();
}

}  // namespace

std::optional<Value> read_argument(const std::shared_ptr<const SourceFile>& argument,
                                   Diagnostics& diagnostics) {
  const std::string& text = argument->text;
  const std::string_view core = without_space_around(text);
  if (first_invalid_byte(text) != std::string_view::npos || is_closed_value(core))
    return read_yaml(argument, diagnostics);
  Value value;
  value.data = plain_scalar(core);
  value.text = value.is_string() ? text : core;
  if (value.is_string()) value.data = text;
  value.where = LineIndex(text).where(argument, 0, std::max<std::size_t>(text.size(), 1));
  return value;
}

std::optional<Value> read_yaml(const std::shared_ptr<const SourceFile>& file, Diagnostics& diagnostics) {
  return Reader(file, diagnostics).read();
}

}  // namespace kernmill
