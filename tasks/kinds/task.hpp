#pragma once
#include <span>
#include <string_view>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/support/result.hpp"
#include "kernmill/tasks/support/spec.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

/// A kind's work. Every rank of `comm` calls it. It returns when all that it leaves is on disk (main writes
/// result.json), and throws TaskError, storage::Error, SpecError or Stopped. An exception need not be on
/// every rank: main ends the others (but Communicator::agree does it in order, so use it where errors are
/// expected). MPI and Kokkos are initialised. It writes what a user should read to stdout, on rank 0 only.
using Run = Result (*)(const Spec& spec, const Communicator& comm);

Result run_preprocess(const Spec& spec, const Communicator& comm);
Result run_deploy(const Spec& spec, const Communicator& comm);
Result run_train(const Spec& spec, const Communicator& comm);
Result run_evaluate(const Spec& spec, const Communicator& comm);
Result run_tune(const Spec& spec, const Communicator& comm);

/// A row of the table in kinds.cpp.
struct Kind {
  std::string_view name;
  Run run;
};
std::span<const Kind> kinds();

}  // namespace kernmill::tasks
