#include "kernmill/exec/attempt/gathered.hpp"

#include <algorithm>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/plan/gathering.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

/// One kind of columns: names in the order in which they were first seen.
class Names {
 public:
  void add(const Json& map) {
    std::size_t place = 0;
    for (const auto& [name, value] : map.items()) {
      const bool is_next = place < names_.size() && names_[place] == name;
      ++place;
      if (!is_next && !has(name)) names_.push_back(name);
    }
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
  }
  [[nodiscard]] const std::vector<std::string>& all() const { return names_; }

 private:
  std::vector<std::string> names_;
};

struct Row {
  std::uint32_t instance = 0;
  Json values, written, metrics, artifacts;
};

/// What the instances of one stage have left.
class GatheredTable {
 public:
  GatheredTable(const Attempt& attempt, const Gathering& what) : stage_(attempt.plan.stage(what.stage).name) {
    for (std::uint32_t i = 0; i < attempt.plan.instance_count(what.stage); ++i) {
      const InstanceId id{what.stage, i};
      auto result = attempt.commits.result(id);
      if (!result) continue;
      Row& row = rows_.emplace_back();
      row.instance = i;
      row.values = attempt.plan.values(id);
      row.written = attempt.plan.written_values(id);
      row.metrics = std::move(result->metrics);
      row.artifacts = Json::object();
      for (const Artifact& artifact : result->artifacts)
        if (what.wants(artifact.name)) row.artifacts[artifact.name] = artifact.path;
      axes_.add(row.written);
      metrics_.add(row.metrics);
      artifacts_.add(row.artifacts);
    }
  }

  [[nodiscard]] std::string csv() const {
    std::string text = "stage,instance";
    for (const std::string& name : axes_.all()) text += ',' + csv_field(title("matrix.", name));
    for (const std::string& name : metrics_.all()) text += ',' + csv_field(title("metrics.", name));
    for (const std::string& name : artifacts_.all()) text += ',' + csv_field(title("artifacts.", name));
    text += '\n';
    for (const Row& row : rows_) {
      text += csv_field(stage_) + ',' + std::to_string(row.instance);
      add_cells(text, axes_, row.written);
      add_cells(text, metrics_, row.metrics);
      add_cells(text, artifacts_, row.artifacts);
      text += '\n';
    }
    return text;
  }

  [[nodiscard]] std::string json() const {
    std::string text = R"({"schema_version": 1, "stage": )" + Json(stage_).dump() + R"(, "instances": [)";
    for (const Row& row : rows_) {
      const Json one{{"instance", row.instance},
                     {"matrix", row.values},
                     {"metrics", row.metrics},
                     {"artifacts", row.artifacts}};
      text += (&row == rows_.data() ? "\n" : ",\n") + one.dump();
    }
    return text + "\n]}\n";
  }

 private:
  /// A name that columns of two kinds have says which one it is of.
  [[nodiscard]] std::string title(const char* kind, const std::string& name) const {
    const int columns = axes_.has(name) + metrics_.has(name) + artifacts_.has(name);
    return columns > 1 || name == "stage" || name == "instance" ? kind + name : name;
  }

  static void add_cells(std::string& text, const Names& names, const Json& values) {
    for (const std::string& name : names.all()) {
      text += ',';
      const auto value = values.find(name);
      if (value == values.end() || value->is_null()) continue;
      text += csv_field(value->is_string() ? value->get<std::string>() : value->dump());
    }
  }

  std::string stage_;
  std::vector<Row> rows_;
  Names axes_, metrics_, artifacts_;
};

fs::path table_of(const Attempt& attempt, const Gathering& what, const char* ending) {
  return attempt.file("gathered") / (attempt.plan.stage(what.stage).name + ending);
}

}  // namespace

fs::path gathered_path(const Attempt& attempt) {
  const auto all = gatherings_of(attempt.plan, attempt.id.stage);
  if (all.empty()) return {};
  return all.size() == 1 ? table_of(attempt, all.front(), ".csv") : attempt.file("gathered");
}

void write_gathered(const Attempt& attempt) {
  for (const Gathering& what : gatherings_of(attempt.plan, attempt.id.stage)) {
    make_directories(attempt.file("gathered"));
    const GatheredTable table(attempt, what);
    write_file_durably(table_of(attempt, what, ".csv"), table.csv());
    write_file_durably(table_of(attempt, what, ".json"), table.json());
  }
}

}  // namespace kernmill::exec
