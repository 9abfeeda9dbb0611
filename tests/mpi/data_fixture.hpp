#pragma once
#include "kernmill/storage/dataset.hpp"
#include "kernmill/tasks/support/task.hpp"
#include "shared_directory.hpp"

namespace kernmill::tasks {

/// Runs preprocess in this process, on all ranks, with a result for each.
class Preprocessing : public kernmill::testing::SharedDirectory {
 protected:
  Communicator comm{MPI_COMM_WORLD};

  static Json defaults() {
    return {
        {"target", nullptr}, {"features", Json::array()},   {"drop", Json::array()}, {"delimiter", "auto"},
        {"header", true},    {"split", {{"type", "none"}}}, {"scale", "none"},       {"series", nullptr}};
  }
  static Json target(const std::string& column, const std::string& type = "auto") {
    return {{"column", column}, {"type", type}};
  }
  Result run(const std::filesystem::path& input, const Json& changes) {
    Spec spec;
    spec.config = defaults();
    spec.config.update(changes);
    spec.inputs["input"] = input;
    spec.output_directory = directory;
    return run_preprocess(spec, comm);
  }
  Result run_text(const std::string& csv, const Json& changes) {
    put(directory / "input.csv", csv);
    return run(directory / "input.csv", changes);
  }
  storage::DatasetReader dataset() { return {comm.handle(), directory / "dataset.h5"}; }

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
