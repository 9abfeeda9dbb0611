#include "kernmill/storage/dataset/dataset_file.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/storage/dataset/schema_file.hpp"
#include "kernmill/storage/file/packed.hpp"
#include "kernmill/storage/hdf5/description.hpp"
#include "kernmill/storage/sealed/format.hpp"

namespace kernmill::storage {
namespace {

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

SealedTable without_checksums(const hdf5::File& file, const TableShape& table, hdf5::Shape& shape) {
  const auto data = file.open_dataset(table.path(), table.type(), table.shape.size());
  shape = data.shape();
  return {table.path(), data.offset(), data.elements() * sizeof(double), 0, {}};
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

std::string path_of(Part part, Table table) {
  return fmt::format("{}/{}", to_string(part), to_string(table));
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

DatasetTables::DatasetTables(const Schema& schema, const PartSizes& rows) : rows_(rows) {
  for (const Part part : all_parts)
    for (const Table table : all_tables)
      if (auto shape = shape_of(table, schema, this->rows(part)))
        all_.push_back({part, table, std::move(*shape)});
}

std::optional<std::size_t> DatasetTables::find(Part part, Table table) const {
  const auto at = std::find_if(all_.begin(), all_.end(),
                               [&](const TableShape& t) { return t.part == part && t.table == table; });
  if (at == all_.end()) return std::nullopt;
  return static_cast<std::size_t>(at - all_.begin());
}

std::vector<std::string> DatasetTables::paths() const {
  std::vector<std::string> paths;
  for (const TableShape& table : all_) paths.push_back(table.path());
  return paths;
}

PartSizes rows_in(const hdf5::File& file) {
  PartSizes rows{};
  for (const Part part : all_parts)
    rows[static_cast<std::size_t>(part)] =
        file.open_dataset(path_of(part, Table::row_numbers), hdf5::Type::u64, 1).elements();
  return rows;
}

std::vector<SealedTable> find_tables(const hdf5::File& file, const DatasetTables& tables, bool encrypted) {
  const bool version_1 = version_of(file) == 1;
  std::vector<SealedTable> found;
  for (const TableShape& table : tables.all()) {
    hdf5::Shape shape;
    found.push_back(version_1 ? without_checksums(file, table, shape)
                              : find_sealed_table(file, table.path(), table.type(), table.shape.size(),
                                                  encrypted, &shape));
    if (shape != table.shape)
      throw Error(fmt::format("{}: '{}' is of {}, where the schema and the other tables say {}",
                              file.path().string(), table.path(), fmt::join(shape, " x "),
                              fmt::join(table.shape, " x ")));
  }
  return found;
}

void write_about(const hdf5::File& file, const Schema& schema, const std::string& provenance) {
  write_schema(file, schema);
  file.write_text("provenance", provenance);
}

std::string content_hash(const hdf5::File& about, const DatasetTables& tables,
                         const std::vector<Digest>& digests) {
  Packer packer;
  packer.put(std::string("kernmill-dataset content 2"));
  packer.put(description_of(about, "schema", {"schema/source"}));
  for (std::size_t i = 0; i < tables.all().size(); ++i) {
    const TableShape& table = tables.all()[i];
    packer.put(table.path());
    packer.put(std::string(table.type() == hdf5::Type::f64 ? "float 8" : "integer 8"));
    packer.put(table.shape);
    packer.put(digests.at(i));
  }
  const std::string bytes = packer.take();
  return hexadecimal(digest_of(std::as_bytes(std::span(bytes))));
}

}  // namespace kernmill::storage
