// No code: compares error_numbers.hpp with the headers of the Slurm that is built for.
#include <cerrno>

#include "kernmill/slurm/errors/error_numbers.hpp"

namespace kernmill::slurm {

/// Names that not every release has, for those that have not: what the headers declare hides them.
namespace absent {
enum : int {
  ESLURM_ERROR_ON_DESC_TO_RECORD_COPY = 2007,
  ESLURM_MAX_JOB_COUNT = 2007,
  ESLURM_JOB_SETTING_DB_INX = 2103,
};

namespace headers {
#include <slurm/slurm_errno.h>

#define KERNMILL_CHECK(number, name, reason) static_assert((name) == (number));
KERNMILL_SLURM_ERRORS(KERNMILL_CHECK)
#undef KERNMILL_CHECK

}  // namespace headers
}  // namespace absent
}  // namespace kernmill::slurm
