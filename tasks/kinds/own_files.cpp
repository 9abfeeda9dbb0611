#include "kernmill/tasks/kinds/own_files.hpp"

#include <fmt/format.h>

#include "kernmill/tasks/support/crash_note.hpp"

namespace kernmill::tasks {
namespace {

TaskError crash_on(const Spec& spec, std::string_view setting) {
  return TaskError(
      fmt::format("{}: HDF5 crashed while it read it", spec.input(setting).string()), {},
      "the file is damaged: `kernmill data verify` and `kernmill model verify` tell; make it anew");
}

}  // namespace

storage::Model read_model(const Communicator& comm, const Spec& spec, std::string_view setting) {
  const CrashNote note(spec.output_directory, crash_on(spec, setting));
  return storage::read_model(comm.handle(), spec.input(setting), spec.key);
}

storage::DatasetReader open_dataset(const Communicator& comm, const Spec& spec, std::string_view setting) {
  const CrashNote note(spec.output_directory, crash_on(spec, setting));
  return storage::DatasetReader(comm.handle(), spec.input(setting),
                                {spec.key, storage::Verify::once, spec.transport});
}

}  // namespace kernmill::tasks
