#include "kernmill/storage/dataset/sparse_tables.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "kernmill/storage/conversion.hpp"
#include "kernmill/storage/dataset/column_order.hpp"

namespace kernmill::storage {
namespace {

constexpr std::uint64_t values_at_once = std::uint64_t{1} << 17;

[[noreturn]] void refuse(const SparsePlace& place, const SealedReader& reader, std::size_t table,
                         const std::string& why) {
  throw Error(fmt::format("{}: '{}' is damaged: {}", place.file.string(), reader.tables()[table].name, why));
}

/// The entries [begin, end) of a row, as `indptr` gives them.
void require_entries(const SealedReader& reader, const SparsePlace& place, std::uint64_t row,
                     std::uint64_t begin, std::uint64_t end) {
  if (begin > end || end > place.entries)
    refuse(place, reader, place.indptr,
           fmt::format("row {} has the entries {} to {} of {}", row, begin, end, place.entries));
  if (end - begin > place.columns)
    refuse(place, reader, place.indptr,
           fmt::format("row {} has {} entries in {} columns", row, end - begin, place.columns));
  if ((row == 0 && begin != 0) || (row + 1 == place.rows && end != place.entries))
    refuse(place, reader, place.indptr, "it does not have all entries");
}

void require_columns(const SealedReader& reader, const SparsePlace& place, std::uint64_t row,
                     std::span<const std::uint32_t> columns) {
  const auto bad = first_misplaced(columns, place.columns);
  if (bad == columns.end()) return;
  refuse(place, reader, place.indices,
         fmt::format("row {} has the column {}, which is {}", row, *bad,
                     bad != columns.begin() && *bad <= *(bad - 1) ? "not above the one before"
                                                                  : "none of its columns"));
}

void read_values(const SealedReader& reader, const SparsePlace& place, std::uint64_t first,
                 std::span<double> out) {
  if (place.type == Element::f64)
    return reader.read(place.values, first * sizeof(double), std::as_writable_bytes(out));
  std::vector<std::byte> stored;
  for (std::size_t done = 0; done < out.size();) {
    const auto piece = out.subspan(done, std::min<std::size_t>(values_at_once, out.size() - done));
    stored.resize(piece.size() * size_of(place.type));
    reader.read(place.values, (first + done) * size_of(place.type), stored);
    widen(place.type, stored.data(), piece);
    done += piece.size();
  }
}

/// A piece of a table, which is kept when it is small.
void read_piece(const SealedReader& reader, std::size_t table, std::uint64_t offset,
                std::span<std::byte> out) {
  reader.read_pieces(table, std::span(&offset, 1), out.size(), out);
}

struct Entries {
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
};

Entries read_entries(const SealedReader& reader, const SparsePlace& place, std::uint64_t first,
                     std::uint64_t end) {
  Entries entries{std::vector<std::uint32_t>(end - first), std::vector<double>(end - first)};
  read_piece(reader, place.indices, first * sizeof(std::uint32_t),
             std::as_writable_bytes(std::span(entries.columns)));
  std::vector<std::byte> stored(entries.values.size() * size_of(place.type));
  read_piece(reader, place.values, first * size_of(place.type), stored);
  widen(place.type, stored.data(), entries.values);
  return entries;
}

/// Rows whose entries lie near each other are read in one go, so that no block is decrypted for each of them.
/// Calls visit(first entry, end, rows) with rows as indices into `bounds`.
template <class Visit>
void each_group(std::size_t rows, const std::vector<std::uint64_t>& bounds, const Visit& visit) {
  constexpr std::uint64_t near = block_bytes / sizeof(double), most = 16 * near;
  std::vector<std::size_t> order(rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return bounds[2 * a] < bounds[2 * b]; });
  for (std::size_t begin = 0; begin < rows;) {
    const std::uint64_t first = bounds[2 * order[begin]];
    std::uint64_t end = bounds[2 * order[begin] + 1];
    std::size_t next = begin + 1;
    for (; next < rows; ++next) {
      const std::uint64_t from = bounds[2 * order[next]], to = bounds[2 * order[next] + 1];
      if (from > end + near || std::max(end, to) - first > std::max(most, end - first)) break;
      end = std::max(end, to);
    }
    visit(first, end, std::span(order).subspan(begin, next - begin));
    begin = next;
  }
}

/// Begin and end of each row.
std::vector<std::uint64_t> bounds_of(const SealedReader& reader, const SparsePlace& place,
                                     std::span<const std::uint64_t> rows) {
  std::vector<std::uint64_t> bounds(2 * rows.size()), offsets(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] >= place.rows) throw std::out_of_range("read_sparse_rows: there is no such row");
    offsets[i] = rows[i] * sizeof(std::uint64_t);
  }
  reader.read_pieces(place.indptr, offsets, 2 * sizeof(std::uint64_t),
                     std::as_writable_bytes(std::span(bounds)));
  for (std::size_t i = 0; i < rows.size(); ++i)
    require_entries(reader, place, rows[i], bounds[2 * i], bounds[2 * i + 1]);
  return bounds;
}

}  // namespace

void read_sparse_range(const SealedReader& reader, const SparsePlace& place, IndexRange range,
                       SparseRows& out) {
  if (range.begin > range.end || range.end > place.rows)
    throw std::out_of_range("read_sparse: there are no such rows");
  if (range.count() == 0) {
    out = {};
    return;
  }
  std::vector<std::uint64_t>& begins = out.begins;
  begins.resize(range.count() + 1);
  reader.read(place.indptr, range.begin * sizeof(std::uint64_t), std::as_writable_bytes(std::span(begins)));
  for (std::uint64_t i = 0; i < range.count(); ++i)
    require_entries(reader, place, range.begin + i, begins[i], begins[i + 1]);
  const std::uint64_t first = begins.front();
  for (std::uint64_t& begin : begins) begin -= first;
  out.columns.resize(begins.back());
  out.values.resize(begins.back());
  reader.read(place.indices, first * sizeof(std::uint32_t), std::as_writable_bytes(std::span(out.columns)));
  read_values(reader, place, first, out.values);
  for (std::uint64_t i = 0; i < range.count(); ++i)
    require_columns(reader, place, range.begin + i,
                    std::span(out.columns).subspan(begins[i], begins[i + 1] - begins[i]));
}

void read_sparse_picked(const SealedReader& reader, const SparsePlace& place,
                        std::span<const std::uint64_t> rows, SparseRows& out) {
  const auto bounds = bounds_of(reader, place, rows);
  out.begins.assign(1, 0);
  for (std::size_t i = 0; i < rows.size(); ++i)
    out.begins.push_back(out.begins.back() + bounds[2 * i + 1] - bounds[2 * i]);
  out.columns.resize(out.begins.back());
  out.values.resize(out.begins.back());
  each_group(rows.size(), bounds,
             [&](std::uint64_t first, std::uint64_t end, std::span<const std::size_t> group) {
               const Entries entries = read_entries(reader, place, first, end);
               for (const std::size_t i : group) {
                 const std::uint64_t from = bounds[2 * i] - first, count = bounds[2 * i + 1] - bounds[2 * i];
                 std::copy_n(entries.columns.data() + from, count, out.columns.data() + out.begins[i]);
                 std::copy_n(entries.values.data() + from, count, out.values.data() + out.begins[i]);
               }
             });
  for (std::size_t i = 0; i < rows.size(); ++i)
    require_columns(reader, place, rows[i],
                    std::span(out.columns).subspan(out.begins[i], out.begins[i + 1] - out.begins[i]));
}

std::string flaw_of(const SparseRows& rows, std::uint64_t columns) {
  if (rows.begins.empty() || rows.begins.front() != 0 || rows.begins.back() != rows.columns.size() ||
      rows.columns.size() != rows.values.size() || !std::is_sorted(rows.begins.begin(), rows.begins.end()))
    return "begins, columns and values do not fit";
  for (std::uint64_t row = 0; row < rows.rows(); ++row) {
    const auto of_row =
        std::span(rows.columns).subspan(rows.begins[row], rows.begins[row + 1] - rows.begins[row]);
    if (const auto bad = first_misplaced(of_row, columns); bad != of_row.end())
      return fmt::format("row {}: column {} is out of order, or none of {}", row, *bad, columns);
  }
  return {};
}

}  // namespace kernmill::storage
