#include "kernmill/storage/dataset_file.hpp"

#include <fmt/format.h>

namespace kernmill::storage {
namespace {

constexpr std::chrono::seconds patience{5};

const char* to_string(Table table) {
  switch (table) {
    case Table::features:
      return "features";
    case Table::target:
      return "target";
    case Table::row_numbers:
      return "row_numbers";
    case Table::levels_before:
      return "levels_before";
    default:
      return "levels_at";
  }
}

}  // namespace

const char* to_string(Part part) {
  switch (part) {
    case Part::train:
      return "train";
    case Part::validation:
      return "validation";
    default:
      return "test";
  }
}

RowRange rows_of_rank(std::uint64_t rows, int rank, int size) {
  const auto r = static_cast<std::uint64_t>(rank), n = static_cast<std::uint64_t>(size);
  const std::uint64_t each = rows / n, more = rows % n;
  const std::uint64_t begin = r * each + std::min(r, more);
  return {begin, begin + each + (r < more ? 1 : 0)};
}

std::string path_of(Part part, Table table) {
  return fmt::format("{}/{}", to_string(part), to_string(table));
}

hdf5::Type type_of(Table table) {
  return table == Table::row_numbers ? hdf5::Type::u64 : hdf5::Type::f64;
}

std::size_t dimensions_of(Table table) {
  return table == Table::row_numbers ? 1 : 2;
}

std::uint64_t target_count_of(const Schema& schema) {
  switch (schema.target_kind) {
    case TargetKind::classes:
      return 1;
    case TargetKind::numbers:
      return schema.target_names.size();
    default:
      return 0;
  }
}

std::optional<hdf5::Shape> shape_of(Table table, const Schema& schema, std::uint64_t rows) {
  const std::uint64_t targets = target_count_of(schema);
  switch (table) {
    case Table::features:
      return hdf5::Shape{rows, schema.features.size()};
    case Table::row_numbers:
      return hdf5::Shape{rows};
    case Table::target:
      if (targets == 0) return std::nullopt;
      break;
    default:
      if (schema.series.transform.empty()) return std::nullopt;
  }
  return hdf5::Shape{rows, targets};
}

OpenTables open_tables(const hdf5::File& file, const Schema& schema) {
  OpenTables tables;
  for (const Part part : all_parts)
    for (const Table table : all_tables)
      if (shape_of(table, schema, 0))
        tables[static_cast<std::size_t>(part)][static_cast<std::size_t>(table)] =
            file.open_dataset(path_of(part, table), type_of(table), dimensions_of(table));
  return tables;
}

SharedFile::SharedFile(const std::filesystem::path& file, const std::filesystem::path& named, MPI_Comm comm,
                       bool writable, const Schema& schema)
    : named_(named), comm_(comm) {
  std::optional<hdf5::File> opened;
  agree(comm_.get(), [&] { opened = hdf5::File::open_parallel(file, named, comm_.get(), writable); });
  OpenTables tables;
  agree(comm_.get(), [&] { tables = open_tables(*opened, schema); });
  open_ = std::make_unique<Open>(Open{std::move(*opened), std::move(tables)});
}

SharedFile::~SharedFile() {
  if (!open_) return;
  const bool thrown_out = std::uncaught_exceptions() > exceptions_;
  if (thrown_out && !all_arrive(comm_.get(), patience)) static_cast<void>(open_.release());
}

const hdf5::Dataset& SharedFile::table(Part part, Table table) const {
  const auto& found = open_->tables[static_cast<std::size_t>(part)][static_cast<std::size_t>(table)];
  if (!found) throw Error(fmt::format("{}: has no '{}'", named_.string(), path_of(part, table)));
  return *found;
}

void SharedFile::close() {
  agree(comm_.get(), [&] {
    open_->tables = {};
    open_->file.close();
  });
  open_.reset();
}

}  // namespace kernmill::storage
