#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/hdf5/file_kind.hpp"
#include "kernmill/storage/history/history.hpp"
#include "kernmill/storage/model/model.hpp"
#include "kernmill/storage/tool/describe.hpp"
#include "kernmill/storage/tool/describe_encoding.hpp"
#include "kernmill/storage/tool/tool.hpp"

namespace kernmill::storage::tool {
namespace {

namespace fs = std::filesystem;

Json tensors_json(const std::vector<TensorShape>& tensors) {
  Json list = Json::array();
  for (const TensorShape& tensor : tensors)
    list.push_back({{"name", tensor.name}, {"shape", tensor.shape}, {"type", to_string(tensor.type)}});
  return list;
}

std::string tensors_text(const std::vector<TensorShape>& tensors) {
  std::string text;
  std::uint64_t values = 0;
  for (const TensorShape& tensor : tensors) {
    std::uint64_t size = 1;
    for (const std::uint64_t extent : tensor.shape) size *= extent;
    values += size;
    text += fmt::format("    {}  {}  {}\n", shown(tensor.name), fmt::join(tensor.shape, " x "),
                        to_string(tensor.type));
  }
  return fmt::format("  tensors   {}, {}\n{}", tensors.size(), counted(values, "value"), text);
}

int show_trained(const Request& request) {
  const Model model = read_model_outline(request.files[0], access_to(request.files[0], request).key);
  std::vector<TensorShape> tensors;
  for (const Tensor& tensor : model.parameters)
    tensors.push_back({tensor.name, tensor.shape, tensor.data.type});
  if (request.json)
    print(Json{{"schema_version", 1},
               {"file", request.files[0].string()},
               {"kind", "model"},
               {"type", model.type},
               {"settings", json_of(model.settings)},
               {"schema", to_json(model.schema)},
               {"parameters", tensors_json(tensors)}});
  else
    fmt::print("{}: a {} model, {}\n  settings  {}\n{}{}", shown(request.files[0].string()),
               shown(model.type), bytes_text(fs::file_size(request.files[0])), shown(model.settings),
               to_text(model.schema), tensors_text(tensors));
  return done;
}

int show_checkpoint(const Request& request) {
  const CheckpointReader checkpoint(MPI_COMM_SELF, request.files[0],
                                    access_to(request.files[0], request).key);
  if (request.json)
    print(Json{{"schema_version", 1},
               {"file", request.files[0].string()},
               {"kind", "checkpoint"},
               {"step", checkpoint.step()},
               {"state", json_of(checkpoint.state())},
               {"tensors", tensors_json(checkpoint.tensors())}});
  else
    fmt::print("{}: a checkpoint of step {}, {}\n  state     {}\n{}", shown(request.files[0].string()),
               checkpoint.step(), bytes_text(fs::file_size(request.files[0])), shown(checkpoint.state()),
               tensors_text(checkpoint.tensors()));
  return done;
}

int show_history(const Request& request) {
  const History history = read_history(request.files[0], access_to(request.files[0], request).key);
  std::vector<std::string> names;
  for (const History::Column& column : history.columns) names.push_back(column.name);
  if (request.json)
    print(Json{{"schema_version", 1},
               {"file", request.files[0].string()},
               {"kind", "history"},
               {"rows", rows_of(history)},
               {"columns", names},
               {"about", json_of(history.about)}});
  else
    fmt::print("{}: a history, {}\n  rows      {}\n  columns   {}\n  about     {}\n",
               shown(request.files[0].string()), bytes_text(fs::file_size(request.files[0])),
               rows_of(history), shown(fmt::format("{}", fmt::join(names, " "))), shown(history.about));
  return done;
}

}  // namespace

Access access_to(const fs::path& file, const Request& request) {
  Access access = request.access;
  if (access.key && !is_encrypted_file(file)) access.key.reset();
  return access;
}

int show_data(const Request& request) {
  const fs::path& file = request.files[0];
  const DatasetReader data(MPI_COMM_SELF, file, access_to(file, request));
  if (request.json) {
    Json rows;
    for (const Part part : all_parts) rows[to_string(part)] = data.rows(part);
    print(Json{{"schema_version", 1},
               {"file", file.string()},
               {"kind", "dataset"},
               {"bytes", fs::file_size(file)},
               {"content_hash", data.content_hash()},
               {"rows", std::move(rows)},
               {"encoding", encoding_json(data)},
               {"schema", to_json(data.schema())},
               {"provenance", json_of(data.provenance())}});
    return done;
  }
  fmt::print("{}: a dataset, {}\n  rows      {} train, {} validation, {} test\n{}{}", shown(file.string()),
             bytes_text(fs::file_size(file)), data.rows(Part::train), data.rows(Part::validation),
             data.rows(Part::test), to_text(data.schema()), encoding_text(data));
  if (const Json made = json_of(data.provenance()); made.is_object() && made.contains("program"))
    fmt::print("  made by   {}\n", shown(made["program"].is_string() ? made["program"].get<std::string>()
                                                                     : made["program"].dump()));
  if (!data.content_hash().empty()) fmt::print("  content   {}\n", shown(data.content_hash()));
  return done;
}

int show_model(const Request& request) {
  switch (kind_of(request.files[0])) {
    case FileKind::model:
      return show_trained(request);
    case FileKind::checkpoint:
      return show_checkpoint(request);
    case FileKind::history:
      return show_history(request);
    case FileKind::dataset:
      break;
  }
  throw Error(fmt::format("{}: is a dataset; kernmill data info shows it", request.files[0].string()));
}

}  // namespace kernmill::storage::tool
