#include "kernmill/tasks/data/read/matrix_input.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "kernmill/base/table/numbers.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/data/read/array_header.hpp"
#include "kernmill/tasks/support/crash_note.hpp"

namespace kernmill::tasks {
namespace {

constexpr std::uint64_t bytes_at_a_time = std::uint64_t{4} << 20U;

/// How many rows of so many columns are read at a time.
std::uint64_t rows_at_a_time(std::uint64_t columns) {
  return std::max<std::uint64_t>(1, bytes_at_a_time / sizeof(double) / std::max<std::uint64_t>(columns, 1));
}

/// Without rows or columns there is nothing to read, and no column to call by its name.
void require_numbers(const std::vector<std::uint64_t>& shape, const std::string& what,
                     const InputFile& file) {
  constexpr std::uint64_t most_columns = std::uint64_t{1} << 24U;
  const std::uint64_t columns = shape.size() == 1 ? 1 : shape[1];
  const char* const reason = shape[0] == 0            ? "has no rows"
                             : columns == 0           ? "has no columns"
                             : columns > most_columns ? "has more than 2^24 columns"
                                                      : nullptr;
  if (reason != nullptr)
    throw TaskError(fmt::format("the array cannot be read: {} {}", what, reason), file.named().string(),
                    "is it the right file?");
}

ArrayHeader header_of(const InputFile& file, ArrayFormat format) {
  constexpr std::uint64_t longest = std::uint64_t{1} << 20U;
  try {
    const std::string begin = file.read(0, longest);
    ArrayHeader header = format == ArrayFormat::npy ? parse_npy_header(begin) : parse_idx_header(begin);
    const std::uint64_t bytes = header.rows() * header.columns() * size_of(header.element);
    require_numbers({header.rows(), header.columns()}, "it", file);
    if (file.size() < header.data_begin || file.size() - header.data_begin < bytes)
      throw ArrayError(fmt::format("it is cut off: it should have {} bytes and has {}",
                                   header.data_begin + bytes, file.size()));
    if (file.size() - header.data_begin > bytes)
      throw ArrayError(fmt::format("{} bytes lie behind it, which would be left out",
                                   file.size() - header.data_begin - bytes),
                       "a file of its own for each array; files that match a pattern are read together");
    return header;
  } catch (const ArrayError& e) {
    throw TaskError(fmt::format("the array cannot be read: {}", e.what()), file.named().string(), e.help);
  }
}

/// Elements that lie behind each other.
void read_elements(const InputFile& file, const ArrayHeader& header, std::uint64_t first,
                   std::span<double> out) {
  const std::uint64_t size = size_of(header.element);
  const std::string bytes = file.read(header.data_begin + first * size, out.size() * size);
  if (bytes.size() != out.size() * size)
    throw TaskError(fmt::format("{} became shorter while it was read", file.named().string()));
  to_doubles(bytes, header.element, header.big_endian, out);
}

storage::Element type_for(Element element) {
  switch (element) {
    case Element::boolean:
    case Element::u8:
      return storage::Element::u8;
    case Element::i8:
    case Element::i16:
    case Element::u16:
    case Element::i32:
      return storage::Element::i32;
    case Element::f16:
    case Element::f32:
      return storage::Element::f32;
    default:
      return storage::Element::f64;
  }
}

storage::Element type_for(const storage::NumberKind& kind) {
  if (!kind.whole) return kind.bytes <= sizeof(float) ? storage::Element::f32 : storage::Element::f64;
  if (kind.bytes == 1 && !kind.is_signed) return storage::Element::u8;
  const bool fits = kind.bytes < 4 || (kind.bytes == 4 && kind.is_signed);
  return fits ? storage::Element::i32 : storage::Element::f64;
}

RowSource source_of(const std::shared_ptr<const InputFile>& file, const ArrayHeader& header) {
  const bool wide = header.element == Element::i64 || header.element == Element::u64;
  RowSource source{header.rows(), header.columns(), wide, type_for(header.element)};
  source.read = [file, header](std::uint64_t first, std::uint64_t count, std::span<double> out) {
    const std::uint64_t columns = header.columns();
    if (!header.column_major) return read_elements(*file, header, first * columns, out);
    std::vector<double> column(count);
    for (std::uint64_t c = 0; c < columns; ++c) {
      read_elements(*file, header, c * header.rows() + first, column);
      for (std::uint64_t i = 0; i < count; ++i) out[i * columns + c] = column[i];
    }
  };
  return source;
}

void require_same_width(const RowSource& first, const RowSource& other, const InputFile& file) {
  const auto same = [](const storage::Named& a, const storage::Named& b) {
    return a.value == b.value && a.name == b.name;
  };
  if (!std::equal(first.enumeration.begin(), first.enumeration.end(), other.enumeration.begin(),
                  other.enumeration.end(), same))
    throw TaskError(
        fmt::format("the enumeration in {} is not that of the files before it", file.named().string()),
        file.named().string(), "files that are read together have the same columns");
  if (first.columns == other.columns) return;
  throw TaskError(fmt::format("{} has rows of {} numbers, the files before it of {}", file.named().string(),
                              other.columns, first.columns),
                  file.named().string(), "files that are read together have the same columns");
}

std::vector<std::string> dataset_columns(const std::string& dataset,
                                         const std::vector<std::uint64_t>& shape) {
  const std::string name = dataset.substr(dataset.find_first_not_of('/'));
  if (shape.size() == 1) return {name};
  std::vector<std::string> names;
  for (std::uint64_t i = 0; i < shape[1]; ++i) names.push_back(fmt::format("{}[{}]", name, i));
  return names;
}

}  // namespace

std::uint64_t ColumnGroup::rows() const {
  return std::accumulate(sources.begin(), sources.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const RowSource& source) { return sum + source.rows; });
}

MatrixInput::MatrixInput(std::string name, std::vector<ColumnGroup> groups)
    : name_(std::move(name)), groups_(std::move(groups)) {
  std::set<std::string> seen;
  for (const ColumnGroup& group : groups_) {
    if (group.rows() != groups_.front().rows())
      throw TaskError(fmt::format("{}: '{}' has {} rows, '{}' has {}", name_, groups_.front().names.at(0),
                                  groups_.front().rows(), group.names.at(0), group.rows()),
                      name_, "what is read together has a row for each row");
    for (const auto& column : group.names) {
      if (!seen.insert(column).second)
        throw TaskError(fmt::format("two columns of {} are called '{}'", name_, column), name_);
      names_.push_back(column);
      columns_.push_back(column_of(group));
    }
  }
}

MatrixInput::Column MatrixInput::column_of(const ColumnGroup& group) {
  Column column;
  column.type = group.sources.front().type;
  for (const RowSource& source : group.sources) {
    column.wide = column.wide || source.wide_integers;
    if (source.type != column.type) column.type = storage::Element::f64;
  }
  const auto& enumeration = group.sources.front().enumeration;
  for (const auto& [value, name] : enumeration) column.names.emplace(value, name);
  const auto is = [&](double value, std::string_view upper, std::string_view lower) {
    const auto found = column.names.find(value);
    return found != column.names.end() && (found->second == upper || found->second == lower);
  };
  if (!column.names.empty()) column.type = storage::Element::f64;
  column.boolean = column.names.size() == 2 && is(0, "FALSE", "False") && is(1, "TRUE", "True");
  if (column.boolean) column.type = storage::Element::u8;
  return column;
}

std::string MatrixInput::text_of(const Column& column, double value) {
  const auto found = column.names.find(value);
  return found == column.names.end() ? fmt::format("{}", value) : found->second;
}

/// Why a value is bad; the name of an enumeration's value is one that `encode` makes a category of, as a
/// text.
std::string MatrixInput::take(const Column& column, double value, std::size_t wanted, bool as_text,
                              ValueJudge& judge, double& slot) {
  if (column.wide && std::abs(value) >= end_of_exact_integers)
    return "is about a whole number of 2^53 or more: a double does not hold them all";
  if (column.names.empty()) return judge.take_number(wanted, value, slot);
  const auto found = column.names.find(value);
  if (found == column.names.end()) return judge.refuse(wanted, "has no name in its enumeration", slot);
  if (column.boolean && !as_text) return judge.take_number(wanted, value, slot);
  return judge.take_text(wanted, found->second, slot);
}

void MatrixInput::read_rows(std::uint64_t first, std::uint64_t count, std::vector<double>& values) const {
  const std::uint64_t width = names_.size();
  values.resize(count * width);
  std::vector<double> part;
  std::uint64_t column = 0;
  for (const ColumnGroup& group : groups_) {
    std::uint64_t begin = 0;  // of the source, among the rows
    for (const RowSource& source : group.sources) {
      const std::uint64_t from = std::max(first, begin), to = std::min(first + count, begin + source.rows);
      if (from < to) {
        part.resize((to - from) * source.columns);
        source.read(from - begin, to - from, part);
        for (std::uint64_t i = 0; i < to - from; ++i)
          std::copy_n(part.begin() + static_cast<std::ptrdiff_t>(i * source.columns), source.columns,
                      values.begin() + static_cast<std::ptrdiff_t>((from - first + i) * width + column));
      }
      begin += source.rows;
    }
    column += group.names.size();
  }
}

std::vector<std::vector<std::string>> MatrixInput::first_rows(const Communicator& comm,
                                                              std::size_t rows) const {
  std::vector<std::vector<std::string>> texts;
  comm.agree([&] {  // every rank reads: the files are there for all
    const std::uint64_t count =
        std::min<std::uint64_t>({rows, groups_.front().rows(), rows_at_a_time(names_.size())});
    std::vector<double> values;
    read_rows(0, count, values);
    for (std::uint64_t i = 0; i < count; ++i) {
      auto& row = texts.emplace_back();
      for (std::size_t c = 0; c < names_.size(); ++c)
        row.push_back(text_of(columns_[c], values[i * names_.size() + c]));
    }
  });
  return texts;
}

void MatrixInput::take_row(const Selection& selection, std::span<const double> row, std::uint64_t number,
                           ValueJudge& judge, RawTable& table) const {
  double* const slots = table.rows.next();
  for (std::size_t i = 0; i < selection.columns.size(); ++i) {
    const std::size_t column = selection.columns[i].column;
    const std::string reason =
        take(columns_[column], row[column], i, selection.columns[i].text, judge, slots[i]);
    if (reason.empty()) continue;
    RejectedRow bad{table.read, name_, {0, 0}, names_[column], text_of(columns_[column], row[column]),
                    reason};
    if (selection.on_bad_row != OnBadRow::skip) {
      bad.row = number;
      throw error_of(bad);
    }
    ++table.read;
    table.rejected.push_back(std::move(bad));
    return;
  }
  slots[selection.columns.size()] = static_cast<double>(table.read++);
  table.rows.keep();
}

RawTable MatrixInput::read(const Communicator& comm, const Selection& selection, const Buffer& buffer) const {
  RawTable table(selection, buffer);
  const auto mine = storage::even_share(groups_.front().rows(), comm.rank(), comm.size());
  comm.agree([&] {
    ValueJudge judge(selection, table);
    const std::uint64_t step = rows_at_a_time(names_.size());
    std::vector<double> values;
    for (std::uint64_t at = mine.begin; at < mine.end; at += step) {
      const std::uint64_t count = std::min(step, mine.end - at);
      read_rows(at, count, values);
      for (std::uint64_t i = 0; i < count; ++i)
        take_row(selection, std::span(values).subspan(i * names_.size(), names_.size()), at + i, judge,
                 table);
    }
  });
  number_rows(comm, *this, table);
  return table;
}

ColumnGroup array_columns(const InputFiles& files, ArrayFormat format) {
  ColumnGroup group;
  for (const auto& file : files) {
    group.sources.push_back(source_of(file, header_of(*file, format)));
    require_same_width(group.sources.front(), group.sources.back(), *file);
  }
  for (std::uint64_t i = 0; i < group.sources.front().columns; ++i)
    group.names.push_back(fmt::format("c{}", i));
  return group;
}

std::vector<ColumnGroup> hdf5_columns(const InputFiles& files, std::vector<std::string> datasets,
                                      storage::OtherFiles other_files,
                                      const std::filesystem::path& output_directory) {
  std::vector<ColumnGroup> groups;
  for (const auto& file : files) {
    const TaskError crashed(fmt::format("{}: HDF5 crashed while it read it", file->named().string()), {},
                            "the file is damaged: does `h5dump` read it?");
    const CrashNote note(output_directory, crashed);
    const auto arrays = std::make_shared<storage::ArrayFile>(file->named(), other_files);
    if (datasets.empty()) datasets = arrays->tables();
    if (datasets.empty())
      throw TaskError(fmt::format("{} has no table of numbers at its root", file->named().string()),
                      file->named().string(), "name them: datasets: [group/features, group/labels]");
    groups.resize(datasets.size());
    for (std::size_t i = 0; i < datasets.size(); ++i) {
      const auto shape = arrays->shape(datasets[i]);
      require_numbers(shape, fmt::format("'{}' of {}", datasets[i], file->named().string()), *file);
      RowSource source{shape.at(0), shape.size() == 1 ? 1 : shape[1], arrays->has_wide_integers(datasets[i]),
                       type_for(arrays->kind(datasets[i])), arrays->enumeration(datasets[i])};
      source.read = [arrays, crashed, output_directory, name = datasets[i]](
                        std::uint64_t first, std::uint64_t count, std::span<double> out) {
        const CrashNote note_of_read(output_directory, crashed);
        arrays->read(name, first, count, out);
      };
      if (groups[i].names.empty()) groups[i].names = dataset_columns(datasets[i], shape);
      groups[i].sources.push_back(std::move(source));
      require_same_width(groups[i].sources.front(), groups[i].sources.back(), *file);
    }
  }
  return groups;
}

}  // namespace kernmill::tasks
