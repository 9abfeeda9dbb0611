#include <fmt/format.h>

#include "kernmill/tasks/data/read/csv_input.hpp"
#include "kernmill/tasks/data/read/libsvm.hpp"
#include "kernmill/tasks/data/read/matrix_input.hpp"
#include "kernmill/tasks/data/read/table_error.hpp"

namespace kernmill::tasks {
namespace {

std::unique_ptr<Input> open_csv(const Communicator& comm, const Spec& spec, const std::string& format,
                                InputFiles files) {
  const auto setting = setting_as<std::string>(spec.config, "delimiter");
  const char decimal = decimal_of(setting_as<std::string>(spec.config, "decimal"));
  const char delimiter =
      as_task_error([&] { return delimiter_of(setting, format, spec.input("input"), decimal); });
  return std::make_unique<CsvInput>(comm, std::move(files),
                                    CsvFormat{delimiter, setting_as<bool>(spec.config, "header"), decimal});
}

InputFiles open_files(const Communicator& comm, const Spec& spec, const char* setting) {
  return open_input_files(comm, spec.input(setting), {spec.output_directory, spec.key},
                          setting_as<std::uint64_t>(spec.config, "max_expansion"));
}

/// Columns of arrays, and the labels beside them.
std::unique_ptr<Input> open_arrays(const Communicator& comm, const Spec& spec, ArrayFormat format,
                                   const InputFiles& files) {
  std::vector<ColumnGroup> groups;
  InputFiles labels;
  if (spec.inputs.contains("labels")) labels = open_files(comm, spec, "labels");
  comm.agree([&] {
    groups.push_back(array_columns(files, format));
    if (labels.empty()) return;
    groups.push_back(array_columns(labels, format));
    if (groups[1].names.size() != 1)
      throw TaskError(fmt::format("{} has {} numbers a row, not one label", labels[0]->named().string(),
                                  groups[1].names.size()),
                      labels[0]->named().string());
    groups[1].names = {"label"};
  });
  std::unique_ptr<Input> input;
  comm.agree(
      [&] { input = std::make_unique<MatrixInput>(files.front()->named().string(), std::move(groups)); });
  return input;
}

}  // namespace

std::unique_ptr<Input> open_input(const Communicator& comm, const Spec& spec,
                                  const std::vector<std::string>& known) {
  const std::filesystem::path& path = spec.input("input");
  const std::string format = format_of(setting_as<std::string>(spec.config, "format"), path);
  InputFiles files = open_files(comm, spec, "input");
  if (format == "csv" || format == "tsv") return open_csv(comm, spec, format, std::move(files));
  if (format == "libsvm") return std::make_unique<SvmInput>(comm, files, known);
  if (format == "npy") return open_arrays(comm, spec, ArrayFormat::npy, files);
  if (format == "idx") return open_arrays(comm, spec, ArrayFormat::idx, files);
  if (format != "hdf5") throw SpecError("spec.json: the format '" + format + "' is unknown");
  std::unique_ptr<Input> input;
  comm.agree([&] {
    const auto datasets = setting_as<std::vector<std::string>>(spec.config, "datasets");
    const auto other_files = setting_as<bool>(spec.config, "external_files") ? storage::OtherFiles::allowed
                                                                             : storage::OtherFiles::refused;
    input = std::make_unique<MatrixInput>(path.string(),
                                          hdf5_columns(files, datasets, other_files, spec.output_directory));
  });
  return input;
}

}  // namespace kernmill::tasks
