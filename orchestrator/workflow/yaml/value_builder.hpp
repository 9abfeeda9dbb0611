#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/text/line_index.hpp"
#include "kernmill/workflow/value/value.hpp"
#include "kernmill/workflow/yaml/long_lists.hpp"

namespace kernmill {

struct UnreadableValue {};  ///< the rest of the file cannot be made sense of; it has been reported

/// Bytes from `from` to the bracket or quote that closes what begins there, or 1 when it is on another line,
/// or further away than `most`.
std::size_t closed_span(std::string_view text, std::size_t from, std::size_t most = std::string_view::npos);

/// Makes a Value of what yaml-cpp reads: merge keys and aliases applied, scalars typed. Throws
/// UnreadableValue where a limit is passed.
class ValueBuilder : public YAML::EventHandler {
 public:
  ValueBuilder(std::shared_ptr<const SourceFile> file, const LineIndex& lines,
               const std::vector<LongList>& lists, Diagnostics& diagnostics)
      : file_(std::move(file)), lines_(lines), lists_(lists), text_(file_->text), diagnostics_(diagnostics) {}

  /// The document; empty when there was none.
  [[nodiscard]] Value document();
  [[nodiscard]] YAML::Mark document_mark() const { return document_mark_; }
  /// How far the text is understood, in bytes of what yaml-cpp reads.
  [[nodiscard]] std::size_t position() const { return position_; }
  /// Whether each of the long lists was in a place for a list.
  [[nodiscard]] bool met_all_lists() const { return lists_met_ == lists_.size(); }

  void OnDocumentStart(const YAML::Mark& mark) override { document_mark_ = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

 private:
  /// A value, and what is asked of it where it is a key.
  struct Node {
    Value value;
    bool is_scalar = false;
    bool is_merge = false;  ///< `<<` without quotes
  };
  struct Anchored {
    Node node;
    std::size_t values = 0, bytes = 0;
  };
  /// A list or map that has begun.
  struct Open {
    Value value;
    YAML::anchor_t anchor = 0;
    bool awaits_key = true;
    Node key{};
    std::unordered_map<std::string, std::uint32_t> lines{};  ///< of the keys
    std::vector<Value> merges{};
  };

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, decltype(Value::data) empty);
  void close();
  void finish(Node node, YAML::anchor_t anchor);
  void add_entry(Open& map, Value value);
  void merge(Open& map, const Value& source);
  void keep(const Node& node, YAML::anchor_t anchor);
  void count(std::size_t values, const Where& where);
  void repeat(std::size_t values, std::size_t bytes, const Where& where);
  void fill_in(const Where& where, std::size_t place);
  [[nodiscard]] bool is_key_next() const;
  decltype(Value::data) typed(const std::string& tag, const std::string& text, const Where& where);
  Where where(const YAML::Mark& mark, const std::string* scalar);
  std::size_t place(const YAML::Mark& mark);
  [[nodiscard]] std::size_t span(std::size_t at, const std::string* scalar) const;
  [[nodiscard]] std::size_t skip_properties(std::size_t at) const;
  [[noreturn]] void give_up(const Where& where, std::string message, std::string help);

  std::shared_ptr<const SourceFile> file_;
  const LineIndex& lines_;
  const std::vector<LongList>& lists_;
  std::string_view text_;
  Diagnostics& diagnostics_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchored_;
  Value root_;
  bool has_root_ = false;
  YAML::Mark document_mark_;
  std::size_t position_ = 0, values_ = 0, repeated_bytes_ = 0, lists_met_ = 0;
};

}  // namespace kernmill
