#include <limits>

#include <fmt/format.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/hdf5/file_kind.hpp"
#include "kernmill/storage/history/history.hpp"
#include "kernmill/storage/model/model.hpp"
#include "kernmill/storage/tool/describe.hpp"
#include "kernmill/storage/tool/rows.hpp"
#include "kernmill/storage/tool/tool.hpp"

namespace kernmill::storage::tool {
namespace {

std::string verify_dataset(const std::filesystem::path& file, const Access& access) {
  const DatasetReader data(MPI_COMM_SELF, file, access);
  std::uint64_t rows = 0;
  const bool is_series = !data.schema().series.transform.empty();
  for (const Part part : all_parts)
    for_each_block(data, part, std::numeric_limits<std::uint64_t>::max(), [&](const RowBlock& block) {
      rows += block.count;
      if (!is_series) return;
      std::vector<double> before(block.target.size()), at(block.target.size());
      data.read_levels(part, {block.first, block.first + block.count}, before, at);
    });
  return fmt::format("dataset, {}{}", counted(rows, "row"),
                     data.content_hash().empty() ? "; its format, version 1, has no checksums" : "");
}

std::string verify_checkpoint(const std::filesystem::path& file, const Access& access) {
  const CheckpointReader checkpoint(MPI_COMM_SELF, file, access.key);
  for (const TensorShape& tensor : checkpoint.tensors()) (void)checkpoint.read_whole(tensor.name);
  return fmt::format("checkpoint of step {}", checkpoint.step());
}

}  // namespace

std::string verify_file(const std::filesystem::path& file, const Access& access) {
  switch (kind_of(file)) {
    case FileKind::dataset:
      return verify_dataset(file, access);
    case FileKind::model:
      return fmt::format("{} model", read_model(MPI_COMM_SELF, file, access.key).type);
    case FileKind::checkpoint:
      return verify_checkpoint(file, access);
    case FileKind::history:
      break;
  }
  return fmt::format("history, {}", counted(rows_of(read_history(file, access.key)), "row"));
}

}  // namespace kernmill::storage::tool
