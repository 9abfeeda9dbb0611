#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <mpi.h>

#include "kernmill/storage/error.hpp"
#include "kernmill/storage/sealed/key.hpp"

namespace kernmill::storage {

/// How something went on: a table by column, and what it is about (JSON text).
struct History {
  struct Column {
    std::string name;            ///< without a slash
    std::vector<double> values;  ///< as many in each column; NaN: there is none
  };
  std::string about;
  std::vector<Column> columns;
};

inline std::uint64_t rows_of(const History& history) {
  return history.columns.empty() ? 0 : history.columns.front().values.size();
}

/// Collective; rank 0's is written. Durable and whole, or not there at all. With a key it is encrypted.
/// Throws Error on every rank.
void write_history(MPI_Comm comm, const std::filesystem::path& file, const History& history,
                   const std::optional<Key>& key = {});
/// One rank's. Throws Error.
History read_history(const std::filesystem::path& file, const std::optional<Key>& key = {});

}  // namespace kernmill::storage
