#pragma once
#include <filesystem>
#include <span>

#include "kernmill/storage/dataset/encoding.hpp"
#include "kernmill/storage/even_share.hpp"
#include "kernmill/storage/sealed/sealed_reader.hpp"

/// Private to storage/: sparse rows as the tables indptr, indices and values of a part have them.
namespace kernmill::storage {

/// Where the tables of a part are among those of a reader, and what they have to fit.
struct SparsePlace {
  std::size_t indptr = 0, indices = 0, values = 0;
  std::uint64_t rows = 0, entries = 0, columns = 0;
  Element type = Element::f64;
  std::filesystem::path file;
};

/// Rows [range.begin, range.end), and rows by their numbers. Throws Error, with table and row, where rows are
/// not what sparse rows are: a file of somebody else's may say what it wants.
void read_sparse_range(const SealedReader& reader, const SparsePlace& place, IndexRange range,
                       SparseRows& out);
void read_sparse_picked(const SealedReader& reader, const SparsePlace& place,
                        std::span<const std::uint64_t> rows, SparseRows& out);

/// What is wrong with rows that are to be written; empty when nothing is.
std::string flaw_of(const SparseRows& rows, std::uint64_t columns);

}  // namespace kernmill::storage
