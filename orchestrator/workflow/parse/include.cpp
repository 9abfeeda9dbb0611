#include "kernmill/workflow/parse/include.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/workflow/text/limits.hpp"
#include "kernmill/workflow/yaml/yaml_reader.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

std::string place_text(const Where& where) {
  return fmt::format("{}, line {}", where.file ? where.file->path : "", where.line);
}

bool is_put_together(const std::string& key) {
  return key == "params" || key == "defaults" || key == "stages";
}

std::string kind_of_name(const std::string& key) {
  if (key == "stages") return "stage";
  return key == "params" ? "parameter" : "default";
}

class Includer {
 public:
  Includer(const Files& files, Diagnostics& diagnostics, std::vector<SourceFile>& included)
      : files_(files), diagnostics_(diagnostics), included_(included) {}

  Value::Map whole(Value root) {
    Value::Map result;
    auto& own = std::get<Value::Map>(root.data);
    if (root.where.file) chain_.push_back(root.where.file->path);
    for (const auto& entry : own)
      if (entry.key == "include") include(entry.value, result);
    for (auto& entry : own)
      if (entry.key != "include" && !entry.key.starts_with("x-")) add(result, std::move(entry));
    if (root.where.file) chain_.pop_back();
    return result;
  }

 private:
  void include(const Value& value, Value::Map& into) {
    if (const auto* list = std::get_if<Value::List>(&value.data)) {
      for (const Value& item : *list) include_file(item, into);
      return;
    }
    include_file(value, into);
  }

  void include_file(const Value& name, Value::Map& into) {
    if (!name.is_string() || name.text.empty())
      return diagnostics_.error(name.where, "'include' takes names of files, not " + describe(name),
                                "include: shared.yaml");
    const fs::path beside = fs::path(name.where.file ? name.where.file->path : "").parent_path();
    const std::string path = (beside / name.text).lexically_normal().string();
    if (!may_be_read(name, path)) return;
    const auto text = files_.read(path, 0, limits::file_bytes + 1);
    if (!text)
      return diagnostics_.error(name.where, fmt::format("'{}' cannot be read", name.text),
                                "a path is relative to the file that includes it; this one is " + path);
    if (text->size() > limits::file_bytes)
      return diagnostics_.error(
          name.where, fmt::format("'{}' is larger than {} MiB", name.text, limits::file_bytes >> 20));
    included_.push_back({path, *text});
    auto root = read_yaml(without_byte_order_mark({path, *text}), diagnostics_);
    if (!root || root->is_null()) return;
    if (!root->is_map())
      return diagnostics_.error(
          root->where, "an included file is a map of keys, as a workflow is, not " + describe(*root));
    for (auto& entry : whole(std::move(*root))) add(into, std::move(entry));
  }

  bool may_be_read(const Value& name, const std::string& path) {
    constexpr std::size_t deepest = 20, most = 100;
    const auto begin = std::find(chain_.begin(), chain_.end(), path);
    if (begin != chain_.end()) {
      diagnostics_.error(name.where,
                         fmt::format("these files include each other: {} -> {}",
                                     fmt::join(begin, chain_.end(), " -> "), path),
                         "take one of the includes away");
      return false;
    }
    if (chain_.size() > deepest || included_.size() >= most) {
      diagnostics_.error(name.where, fmt::format("a workflow includes {} files at most, {} deep: {} -> {}",
                                                 most, deepest, fmt::join(chain_, " -> "), path));
      return false;
    }
    const bool is_known = std::any_of(included_.begin(), included_.end(),
                                      [&](const SourceFile& file) { return file.path == path; });
    if (is_known)
      diagnostics_.error(name.where, fmt::format("'{}' is included twice", path),
                         "its keys stand in the whole workflow already");
    return !is_known;
  }

  void add(Value::Map& into, Value::Entry entry) {
    const auto known = find(into, entry.key);
    if (known == into.end()) return into.push_back(std::move(entry));
    auto* map = std::get_if<Value::Map>(&known->value.data);
    auto* more = std::get_if<Value::Map>(&entry.value.data);
    if (!is_put_together(entry.key) || map == nullptr || more == nullptr)
      return given_twice(fmt::format("'{}'", entry.key), entry.key_where, known->key_where);
    known->key_where = entry.key_where;
    known->value.where = entry.value.where;
    for (auto& one : *more) {
      const auto same = find(*map, one.key);
      if (same == map->end())
        map->push_back(std::move(one));
      else
        given_twice(fmt::format("the {} '{}'", kind_of_name(entry.key), one.key), one.key_where,
                    same->key_where);
    }
  }

  static Value::Map::iterator find(Value::Map& map, const std::string& key) {
    return std::find_if(map.begin(), map.end(), [&](const Value::Entry& entry) { return entry.key == key; });
  }

  /// Said in both places, each naming the other.
  void given_twice(const std::string& what, const Where& here, const Where& there) {
    diagnostics_.error(here, what + " is given twice",
                       fmt::format("it is also given in {}; keep one of them", place_text(there)));
    diagnostics_.error(there, what + " is given twice",
                       fmt::format("it is also given in {}; keep one of them", place_text(here)));
  }

  const Files& files_;
  Diagnostics& diagnostics_;
  std::vector<SourceFile>& included_;
  std::vector<std::string> chain_;  ///< from the workflow to the file that is read
};

}  // namespace

WholeWorkflow with_included(Value root, const Files& files, Diagnostics& diagnostics) {
  WholeWorkflow all;
  const Where where = root.where;
  all.root = {Includer(files, diagnostics, all.included).whole(std::move(root)), where, ""};
  return all;
}

std::shared_ptr<const SourceFile> without_byte_order_mark(SourceFile source) {
  if (source.text.starts_with("\xEF\xBB\xBF")) source.text.erase(0, 3);
  return std::make_shared<const SourceFile>(std::move(source));
}

}  // namespace kernmill
