#include <cstdio>

#include <fmt/format.h>

#include "kernmill/storage/dataset.hpp"
#include "kernmill/tasks/data/samples.hpp"
#include "kernmill/tasks/data/split.hpp"
#include "kernmill/tasks/data/standardise.hpp"
#include "kernmill/tasks/support/stop.hpp"
#include "kernmill/tasks/support/task.hpp"

namespace kernmill::tasks {
namespace {

using storage::all_parts;
using storage::Part;

/// This rank's samples of one part.
struct PartRows {
  std::vector<double> features, target, before, at;
  std::vector<std::uint64_t> row_numbers;
};

void append_row(std::vector<double>& to, const std::vector<double>& from, std::uint64_t row,
                std::uint64_t columns) {
  if (from.empty()) return;
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(row * columns);
  to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(columns));
}

std::array<PartRows, 3> distribute(const Samples& samples, const std::vector<Part>& parts) {
  std::array<PartRows, 3> rows;
  for (std::uint64_t i = 0; i < samples.count(); ++i) {
    PartRows& part = rows[static_cast<std::size_t>(parts[i])];
    append_row(part.features, samples.features, i, samples.feature_count);
    append_row(part.target, samples.target, i, samples.target_count);
    append_row(part.before, samples.before, i, samples.target_count);
    append_row(part.at, samples.at, i, samples.target_count);
    part.row_numbers.push_back(samples.row_numbers[i]);
  }
  return rows;
}

storage::PartSizes sizes_of(const Communicator& comm, const std::array<PartRows, 3>& rows) {
  storage::PartSizes sizes{};
  for (std::size_t p = 0; p < rows.size(); ++p) sizes[p] = rows[p].row_numbers.size();
  comm.allreduce(std::span<std::uint64_t>(sizes), Reduction::sum);
  if (sizes[0] == 0)
    throw TaskError("the split leaves no training rows", {}, "make the test and validation parts smaller");
  return sizes;
}

void scale_all(const Communicator& comm, storage::Schema& schema, std::array<PartRows, 3>& rows) {
  const Scaling scaling = fit_scaling(comm, rows[0].features, schema.features);
  schema.steps = {scaling_step(scaling, schema.features)};
  for (PartRows& part : rows) apply_steps(schema.steps, part.features);
}

void write_dataset(const Communicator& comm, const std::filesystem::path& file, const storage::Schema& schema,
                   const storage::PartSizes& sizes, const std::array<PartRows, 3>& rows) {
  storage::DatasetWriter writer(comm.handle(), file, schema, sizes);
  for (const Part part : all_parts) {
    const PartRows& mine = rows[static_cast<std::size_t>(part)];
    const std::uint64_t first = comm.exscan(std::uint64_t{mine.row_numbers.size()});
    writer.write(part, first, mine.features, mine.target, mine.row_numbers);
    if (!schema.series.transform.empty()) writer.write_levels(part, first, mine.before, mine.at);
  }
  if (agree_to_stop(comm)) throw Stopped{};
  writer.commit();
}

std::string described(const storage::Schema& schema, std::uint64_t rows, const storage::PartSizes& sizes) {
  std::string target = "no target";
  if (schema.target_kind == storage::TargetKind::numbers)
    target = fmt::format("{} numeric target{}", schema.target_names.size(),
                         schema.target_names.size() == 1 ? "" : "s");
  if (schema.target_kind == storage::TargetKind::classes)
    target = fmt::format("{} classes", schema.classes.size());
  return fmt::format("{}: {} rows, {} features, {}: {} train, {} validation, {} test\n", schema.source, rows,
                     schema.features.size(), target, sizes[0], sizes[1], sizes[2]);
}

}  // namespace

Result run_preprocess(const Spec& spec, const Communicator& comm) {
  const Json& config = spec.config;
  const auto& input = spec.input("input");
  const CsvFormat format{delimiter_of(setting_as<std::string>(config, "delimiter"), input),
                         setting_as<bool>(config, "header")};
  storage::Schema schema;
  schema.source = input.filename();  // not its place: equal content makes equal datasets
  const CsvHeader header = read_csv_header(comm, input, format);
  const Samples samples = read_samples(comm, header, config, schema);
  schema.inputs =
      storage::numbers_named(schema.series.transform.empty() ? schema.features : schema.series.columns);
  schema.split = setting(config, "split").dump();
  auto rows =
      distribute(samples, assign_parts(comm, setting(config, "split"), samples, schema.classes.size()));
  const storage::PartSizes sizes = sizes_of(comm, rows);
  if (setting_as<std::string>(config, "scale") == "standard") scale_all(comm, schema, rows);
  if (agree_to_stop(comm)) throw Stopped{};
  write_dataset(comm, spec.output_directory / "dataset.h5", schema, sizes, rows);
  if (comm.is_root()) fmt::print("{}", described(schema, samples.total, sizes));
  Result result;
  result.metrics = {
      {"rows", samples.total},  {"features", schema.features.size()}, {"classes", schema.classes.size()},
      {"train_rows", sizes[0]}, {"validation_rows", sizes[1]},        {"test_rows", sizes[2]}};
  result.artifacts = {{"dataset", "dataset.h5"}};
  return result;
}

}  // namespace kernmill::tasks
