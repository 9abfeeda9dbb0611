#pragma once
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "preprocess_settings.hpp"
#include "shared_directory.hpp"

namespace kernmill::tasks {

/// Runs preprocess in this process, on all ranks, with a result for each.
class Preprocessing : public kernmill::testing::SharedDirectory {
 protected:
  Communicator comm{MPI_COMM_WORLD};

  static Json defaults() { return kernmill::testing::preprocess_settings(Json::object()); }
  static Json impute(const std::string& with, const std::string& value = "", bool indicator = false) {
    return {{"with", with}, {"value", value}, {"indicator", indicator}};
  }
  static Json encode(const std::string& as, const std::string& unknown = "error") {
    return {{"as", as}, {"unknown", unknown}};
  }
  static Json series(const std::string& transform, int window, int horizon,
                     const Json& columns = Json::array(), const Json& lags = Json::array()) {
    return {{"transform", transform},
            {"window", window},
            {"horizon", horizon},
            {"columns", columns},
            {"lags", lags}};
  }
  static Json random_split(double test, double validation, bool stratify, int seed,
                           const std::string& group = "") {
    return {{"type", "random"},     {"test", test}, {"validation", validation},
            {"stratify", stratify}, {"seed", seed}, {"group", group}};
  }
  static Json folds(int every, int offset, bool stratify = false, const std::string& group = "") {
    return {
        {"type", "every"}, {"every", every}, {"offset", offset}, {"stratify", stratify}, {"group", group}};
  }
  static Json target(const std::string& column, const std::string& type = "auto") {
    return {{"column", column}, {"type", type}};
  }
  Result run(const std::filesystem::path& input, const Json& changes) {
    Spec spec;
    spec.config = kernmill::testing::preprocess_settings(changes);
    spec.inputs["input"] = input;
    spec.output_directory = directory;
    return run_preprocess(spec, comm);
  }
  Result run_text(const std::string& csv, const Json& changes) {
    put(directory / "input.csv", csv);
    return run(directory / "input.csv", changes);
  }
  /// A file whose bytes are not text.
  void put_bytes(const std::string& name, std::string_view bytes) {
    put(directory / name, std::string(bytes));
  }
  storage::DatasetReader dataset() { return {comm.handle(), directory / "dataset.h5"}; }

  struct Rows {
    std::vector<double> features, target;
    std::vector<std::uint64_t> numbers;
  };
  static Rows rows_of(const storage::DatasetReader& reader, storage::Part part) {
    const std::uint64_t n = reader.rows(part);
    Rows rows{std::vector<double>(n * reader.feature_count()), std::vector<double>(n * reader.target_count()),
              std::vector<std::uint64_t>(n)};
    reader.read(part, {0, n}, rows.features, rows.target);
    reader.read_row_numbers(part, {0, n}, rows.numbers);
    return rows;
  }

  /// What went wrong, and where, with the directory taken out: "message @ input.csv:3:1".
  template <class Work>
  std::string failure(const Work& work) {
    try {
      work();
    } catch (const TaskError& e) {
      std::string where = e.where;
      if (where.starts_with(directory.string())) where = where.substr(directory.string().size() + 1);
      return std::string(e.what()) + " @ " + where;
    } catch (const std::exception& e) {
      return std::string("another kind of error: ") + e.what();
    }
    return "no error";
  }
};

}  // namespace kernmill::tasks
