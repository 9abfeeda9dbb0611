#include "kernmill/workflow/yaml/yaml_reader.hpp"

#include <algorithm>
#include <istream>
#include <streambuf>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "kernmill/workflow/text/limits.hpp"
#include "kernmill/workflow/text/line_index.hpp"
#include "kernmill/workflow/text/unicode.hpp"
#include "kernmill/workflow/value/scalar.hpp"
#include "kernmill/workflow/yaml/long_lists.hpp"
#include "kernmill/workflow/yaml/value_builder.hpp"

namespace kernmill {
namespace {

class Reader {
 public:
  Reader(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics)
      : file_(std::move(file)), diagnostics_(&diagnostics), text_(file_->text) {}

  std::optional<Value> read();

 private:
  std::optional<Value> read_whole(Diagnostics& found);
  std::optional<Value> read_document(const std::vector<LongList>& lists, Diagnostics& found, bool& trusted);
  bool is_readable(Diagnostics& found) const;
  void report(const YAML::Exception& error, const std::vector<LongList>& lists, Diagnostics& found) const;

  [[nodiscard]] const LineIndex& lines() const {
    if (!lines_) lines_.emplace(text_);
    return *lines_;
  }

  std::shared_ptr<const SourceFile> file_;
  Diagnostics* diagnostics_;
  std::string_view text_;
  /// Made when it is wanted: of a file that is refused it would cost more than the file.
  mutable std::optional<LineIndex> lines_;
};

/// Looks on while yaml-cpp reads a document, and keeps where it begins.
class DocumentStart : public YAML::EventHandler {
 public:
  YAML::Mark mark;
  void OnDocumentStart(const YAML::Mark& at) override { mark = at; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override { stop(); }
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override { stop(); }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {
    stop();
  }
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    stop();
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    stop();
  }
  void OnMapEnd() override {}

  struct Begun {};

 private:
  [[noreturn]] static void stop() { throw Begun{}; }
};

/// Gives yaml-cpp a text, piece by piece, as long as it makes something of it: its scanner keeps all of a
/// list in brackets, a hundred bytes for each, until that ends.
class WatchedText : public std::streambuf {
 public:
  struct TooLong {};
  WatchedText(std::string& text, const ValueBuilder& builder) : text_(text), builder_(builder) {}

 protected:
  int_type underflow() override {
    if (given_ == text_.size()) return traits_type::eof();
    if (given_ > builder_.position() + limits::value_bytes) throw TooLong{};
    char* const begin = text_.data() + given_;
    given_ = std::min(text_.size(), given_ + piece);
    setg(begin, begin, text_.data() + given_);
    return traits_type::to_int_type(*begin);
  }

 private:
  static constexpr std::size_t piece = std::size_t{64} << 10;
  std::string& text_;
  const ValueBuilder& builder_;
  std::size_t given_ = 0;
};

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
void Reader::report(const YAML::Exception& error, const std::vector<LongList>& lists,
                    Diagnostics& found) const {
  const bool known = !error.mark.is_null() && error.mark.pos >= 0;
  const std::size_t at = known ? place_in_whole(static_cast<std::size_t>(error.mark.pos), lists) : 0;
  const Where there = known ? lines().where(file_, at, 1) : Where{file_, 0, 0, 1};
  const std::size_t begin = there.line == 0 ? 0 : lines().offset(there.line - 1, 0);
  if (begin < text_.size() && text_[begin] == '\t')
    return found.error(lines().where(file_, begin, 1), "YAML takes no tabs for indentation", "use spaces");
  if (error.msg.find("flow not found") != std::string::npos)
    if (const std::size_t bracket = unclosed_bracket(text_); bracket != std::string_view::npos)
      return found.error(lines().where(file_, bracket, 1),
                         fmt::format("this '{}' is never closed", text_[bracket]));
  if (error.msg.find("anchor is not defined") != std::string::npos)
    return found.error(there, "there is no anchor of this name above",
                       "'&name' marks a value, '*name' repeats it; quote a text that begins with '*'");
  found.error(there, fmt::format("this is not valid YAML: {}", error.msg),
              "check colons, quotes, brackets and indentation on this line and the one before");
}

/// Why bytes cannot be read at all, told.
bool Reader::is_readable(Diagnostics& found) const {
  if (const std::size_t at = first_invalid_byte(text_); at != std::string_view::npos) {
    found.error(lines().where(file_, at, 1), "this is not UTF-8 text",
                "save the file as UTF-8, without NUL bytes");
    return false;
  }
  const auto steers = [](unsigned char c) {
    return (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
  };
  const auto control = std::find_if(text_.begin(), text_.end(), steers);
  if (control == text_.end()) return true;
  found.error(lines().where(file_, static_cast<std::size_t>(control - text_.begin()), 1),
              fmt::format("this is a control character (U+{:04X})",
                          static_cast<unsigned>(static_cast<unsigned char>(*control))),
              "YAML takes none; take it out, or write it as \\xNN in double quotes");
  return false;
}

/// The one document, or nothing after a mistake. `trusted`: the lists were where YAML has lists.
/// YAML::LoadAll never ends on a file that begins with a comma: each of its documents is empty, and takes
/// nothing away. So two documents are looked at, and no more.
std::optional<Value> Reader::read_document(const std::vector<LongList>& lists, Diagnostics& found,
                                           bool& trusted) {
  std::string text = without_lists(text_, lists);
  ValueBuilder builder(file_, lines(), lists, found);
  WatchedText watched(text, builder);
  std::istream stream(&watched);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return builder.document();
    trusted = builder.met_all_lists();
    DocumentStart second;
    bool more = false;
    try {
      more = parser.HandleNextDocument(second);
    } catch (const DocumentStart::Begun&) {
      more = true;
    }
    if (!more) return builder.document();
    const bool stuck = builder.document_mark().pos == second.mark.pos;
    const std::size_t at = place_in_whole(static_cast<std::size_t>(std::max(second.mark.pos, 0)), lists);
    found.error(
        lines().where(file_, at, 1),
        stuck ? "this is not valid YAML: no value can begin like this" : "a second YAML document begins here",
        stuck ? "" : "keep one workflow in a file, without '---' lines between documents");
  } catch (const UnreadableValue&) {
    trusted = true;
  } catch (const WatchedText::TooLong&) {
    trusted = true;
    found.error(lines().where(file_, place_in_whole(builder.position(), lists), 1),
                fmt::format("what begins behind this is longer than {} MiB", limits::value_bytes >> 20),
                "put a long text into a file; write a long list or map without brackets, an item a line");
  } catch (const YAML::Exception& error) {
    report(error, lists, found);
  }
  return {};
}

/// Long lists are left out of what yaml-cpp reads, unless it sees no list where one of them is: in a text,
/// say.
std::optional<Value> Reader::read() {
  Diagnostics found = diagnostics_->fresh();
  try {
    auto document = read_whole(found);
    diagnostics_->add(found);
    return document;
  } catch (const TooManyMistakes&) {
    diagnostics_->add(found);
    throw;
  }
}

std::optional<Value> Reader::read_whole(Diagnostics& found) {
  const auto lists = find_long_lists(text_);
  std::size_t bytes = text_.size();
  for (const LongList& list : lists) bytes -= list.end - list.begin;
  const auto is_too_long = [&] {
    found.error({file_, 0, 0, 1},
                fmt::format("this file has more than {} MiB beside long lists of numbers and words",
                            limits::text_bytes >> 20),
                "keep data in files of their own, and name them here");
    return std::nullopt;
  };
  if (bytes > limits::text_bytes) return is_too_long();
  if (!is_readable(found)) return std::nullopt;
  bool trusted = false;
  std::optional<Value> document;
  if (!lists.empty()) document = read_document(lists, found, trusted);
  const bool fits = text_.size() <= limits::text_bytes;
  if (trusted || (!fits && found.has_errors())) return document;
  found = diagnostics_->fresh();
  if (!fits) return is_too_long();
  return read_document({}, found, trusted);
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
