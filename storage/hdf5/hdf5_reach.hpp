#pragma once
#include <string>

#include "kernmill/storage/hdf5/hdf5.hpp"

/// Private to hdf5*.cpp and array_file.cpp: a file says what is in it, and may say that it lies elsewhere, or
/// is far more than it holds. Each function throws Error: the object, what is wrong with it, and what to do.
namespace kernmill::storage::hdf5 {

/// Where the links of a file may lead.
enum class Reach {
  own,     ///< no link but those that a group owns: Kernmill writes no other
  inside,  ///< soft links, too, that stay inside the file
  other_files
};

/// Each link on the way to an object, before anything follows it. A name that is not there is no error.
void require_reach(hid_t file, const std::string& name, Reach reach, const Context& context);

/// The content lies in the file: in no other (external storage, virtual datasets), and behind no filter that
/// only a plug-in knows, whose code would run.
void require_own_content(hid_t dataset, Reach reach, const Context& context);

/// Where other files are allowed: that they are no pipes and no devices.
void require_regular_files(hid_t dataset, const Context& context);

/// The number of bytes of a dataset of Kernmill's: contiguous, in the file, and all of them there.
std::uint64_t require_stored(hid_t dataset, const Context& context);

/// Whether HDF5 may load the code of filters that it does not know. Off, unless a user wants it.
void load_plugins(bool allowed);

/// Of an attribute: that it is one value, of this class and of a length that attributes may have.
void require_one_value(hid_t attribute, H5T_class_t kind, const Context& context);

}  // namespace kernmill::storage::hdf5
