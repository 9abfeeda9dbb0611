#pragma once
#include <memory>
#include <string>

#include "kernmill/exec/job/batch_place.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::exec {

/// Makes the journal file of a job, `<job>-g<generation>.<restart>.<host>.<role>.jsonl`. A batch system that
/// has lost its last moments may start a job twice under one number: the second start takes a number above
/// all that are there, which `place` has afterwards, so that it is the newer one for everybody.
std::unique_ptr<JournalWriter> job_journal(const RunDirectory& run, BatchPlace& place, unsigned generation,
                                           const std::string& role, const JournalWriter::Hook& hook);

}  // namespace kernmill::exec
