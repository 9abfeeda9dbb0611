#include "kernmill/tasks/learn/monitor/attempts.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "kernmill/base/training_lines.hpp"
#include "kernmill/storage/file/nesting.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {
namespace {

namespace fs = std::filesystem;

std::vector<Json> lines_in(const std::string& text) {
  std::vector<Json> lines;
  for (const std::string_view line : whole_lines(text)) {
    if (storage::nests_deeper_than(line, storage::most_levels)) continue;
    if (Json json = Json::parse(line, nullptr, false); json.is_object()) lines.push_back(std::move(json));
  }
  return lines;
}

std::optional<std::uint64_t> number_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

/// The rows of an attempt; nothing of one that has none.
struct Told {
  AttemptRows<Json> rows;
  Json about = Json::object();
};

Told told_in(const std::string& text) {
  Told told;
  for (Json& line : lines_in(text)) {
    if (line.contains("begin") && line["begin"].is_object()) {
      told.about.update(line["begin"]);
      told.rows.from_step = number_in(line["begin"], "from_step").value_or(0);
    } else if (line.contains("end")) {
      told.about["end"] = line["end"];
    } else if (number_in(line, "step")) {
      told.rows.rows.push_back(std::move(line));
    }
  }
  for (Json& row : told.rows.rows)
    if (told.about.contains("attempt")) row["attempt"] = told.about["attempt"];
  return told;
}

}  // namespace

std::string text_of_lines(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Attempts Attempts::before(const fs::path& directory, int attempt) {
  Attempts attempts;
  for (int number = 1; number < attempt; ++number)
    attempts.texts.push_back(
        text_of_lines(directory.parent_path() / fmt::format("attempt-{}", number) / training_lines));
  return attempts;
}

bool Attempts::diverged() const {
  return std::any_of(texts.begin(), texts.end(), [](const std::string& text) {
    const Json about = told_in(text).about;
    return about.contains("end") && about["end"].is_object() &&
           about["end"].value("how", Json()) == "diverged";
  });
}

storage::History history_of(const Attempts& attempts) {
  std::vector<AttemptRows<Json>> told;
  Json list = Json::array();
  for (const std::string& text : attempts.texts) {
    Told one = told_in(text);
    if (one.about.empty()) continue;
    list.push_back(std::move(one.about));
    told.push_back(std::move(one.rows));
  }
  const auto rows =
      rows_of_attempts(std::move(told), [](const Json& row) { return *number_in(row, "step"); });
  storage::History history{Json{{"schema_version", schema_version}, {"attempts", std::move(list)}}.dump(),
                           {}};
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (const auto& [name, value] : rows[i].items()) {
      if (!value.is_number() || name == "schema_version" || name.find('/') != std::string::npos) continue;
      auto column = std::find_if(history.columns.begin(), history.columns.end(),
                                 [&name = name](const auto& known) { return known.name == name; });
      if (column == history.columns.end())
        column = history.columns.insert(
            column, {name, std::vector<double>(rows.size(), std::numeric_limits<double>::quiet_NaN())});
      column->values[i] = value.get<double>();
    }
  return history;
}

}  // namespace kernmill::tasks
