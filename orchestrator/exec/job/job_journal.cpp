#include "kernmill/exec/job/job_journal.hpp"

#include <algorithm>
#include <system_error>

#include "kernmill/run/submit/generation.hpp"

namespace kernmill::exec {

std::unique_ptr<JournalWriter> job_journal(const RunDirectory& run, BatchPlace& place, unsigned generation,
                                           const std::string& role, const JournalWriter::Hook& hook) {
  place.restart = std::max(place.restart, BegunJobs(run.journal()).starts(place.name(), generation));
  for (;; ++place.restart) try {
      return std::make_unique<JournalWriter>(run.journal(), journal_name(place.name(), generation),
                                             place.restart, role, hook);
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::file_exists) throw;
    }
}

}  // namespace kernmill::exec
