#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/storage/file/durable.hpp"
#include "kernmill/tasks/kinds/own_files.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "kernmill/tasks/learn/score/forecast.hpp"
#include "kernmill/tasks/learn/score/scores.hpp"

namespace kernmill::tasks {
namespace {

/// The rows of a split, one part after the other where it is `all`.
std::vector<Rows> rows_of_split(const storage::DatasetReader& reader, const std::string& split) {
  std::vector<Rows> parts;
  for (const storage::Part part : storage::all_parts) {
    if (split != "all" && split != storage::to_string(part)) continue;
    Rows rows(reader, part);
    if (rows.count() > 0) parts.push_back(rows);
  }
  if (parts.empty()) {
    throw TaskError(fmt::format("the dataset has no {} rows", split == "all" ? "" : split), {},
                    "give the preprocess stage a split, or evaluate another part: split: train");
  }
  return parts;
}

void print_confusion(const std::vector<std::string>& classes, const std::vector<double>& confusion) {
  std::size_t width = 7;
  for (const std::string& name : classes) width = std::max(width, name.size() + 2);
  fmt::print("\nrows: true class; columns: predicted class\n{:<{}}", "", width);
  for (const std::string& name : classes) fmt::print("{:>{}}", name, width);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    fmt::print("\n{:<{}}", classes[i], width);
    for (std::size_t j = 0; j < classes.size(); ++j) {
      fmt::print("{:>{}}", static_cast<std::uint64_t>(confusion[i * classes.size() + j]), width);
    }
  }
  fmt::print("\n");
}

void print_metrics(const Json& metrics) {
  for (const auto& [name, value] : metrics.items()) {
    if (value.is_number_float()) {
      fmt::print("{:<28} {:>14.6g}\n", name, value.get<double>());
    } else {
      fmt::print("{:<28} {:>14}\n", name, value.dump());
    }
  }
}

Json evaluate_classes(const Communicator& comm, const std::vector<Rows>& parts, const Predictor& predictor,
                      Json& report) {
  ClassScores scores;
  for (const Rows& rows : parts) scores.add(score_classes(comm, rows, predictor));
  const auto& classes = parts.front().schema().classes;
  report["classes"] = classes;
  Json& confusion = report["confusion"] = Json::array();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto row = scores.confusion.begin() + static_cast<std::ptrdiff_t>(i * classes.size());
    confusion.push_back(std::vector<std::uint64_t>(row, row + static_cast<std::ptrdiff_t>(classes.size())));
  }
  Json metrics = scores.metrics();
  if (comm.is_root()) {
    print_metrics(metrics);
    print_confusion(classes, scores.confusion);
  }
  return metrics;
}

// "no change" is compared with in one part only: two parts are not one run of time.
Json evaluate_numbers(const Communicator& comm, const std::vector<Rows>& parts, const Predictor& predictor) {
  NumberScores scores = score_numbers(comm, parts.front(), predictor);
  for (std::size_t i = 1; i < parts.size(); ++i) scores.add(score_numbers(comm, parts[i], predictor));
  Json metrics = scores.metrics();
  if (!parts.front().schema().series.transform.empty()) {
    metrics.update(compare_with_naive(comm, parts.back(), predictor));
  }
  if (comm.is_root()) print_metrics(metrics);
  return metrics;
}

}  // namespace

Result run_evaluate(const Spec& spec, const Communicator& comm) {
  const storage::Model model = read_model(comm, spec, "model");
  const storage::DatasetReader reader = open_dataset(comm, spec, "data");
  check_same_meaning(model.schema, reader.schema());
  const Predictor predictor(model);
  const auto split = setting_as<std::string>(spec.config, "split");
  const std::vector<Rows> parts = rows_of_split(reader, split);
  Json report = {{"schema_version", 1}, {"model", model.type}, {"split", split}};
  const bool classes = model.schema.target_kind == storage::TargetKind::classes;
  report["metrics"] =
      classes ? evaluate_classes(comm, parts, predictor, report) : evaluate_numbers(comm, parts, predictor);
  std::fflush(stdout);
  comm.agree([&] {
    if (comm.is_root())
      storage::write_durably(spec.output_directory / "evaluation.json", report.dump(2) + "\n");
  });
  return {report["metrics"], {{"report", "evaluation.json"}}};
}

}  // namespace kernmill::tasks
