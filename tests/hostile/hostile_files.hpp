#pragma once
#include <filesystem>
#include <string>
#include <vector>

/// Files as somebody would make them who wants a reader to crash, to run code, to read other files, or to
/// take the machine. Made with HDF5's own calls, so each is as well-formed as its trick allows.
namespace kernmill::testing {

struct HostileFile {
  std::filesystem::path file;
  std::string told;  ///< what an error about it has to say; empty: it may as well be read
};

/// Files of Kernmill's own formats, with right footers. `secret` is a file of which nothing may be read.
std::vector<HostileFile> hostile_models(const std::filesystem::path& directory,
                                        const std::filesystem::path& secret);
std::vector<HostileFile> hostile_datasets(const std::filesystem::path& directory,
                                          const std::filesystem::path& secret);
/// Of other types and with sparse rows, whose checksums are right, too. `told` is what reading their rows
/// says.
std::vector<HostileFile> hostile_typed_datasets(const std::filesystem::path& directory);
/// Encrypted ones, by the key of 32 letters k.
std::vector<HostileFile> hostile_sealed_models(const std::filesystem::path& directory,
                                               const std::filesystem::path& secret);
std::vector<HostileFile> hostile_checkpoints(const std::filesystem::path& directory);
/// Input of preprocess and deploy: HDF5, .npy, IDX, CSV, LIBSVM, gzip.
std::vector<HostileFile> hostile_inputs(const std::filesystem::path& directory,
                                        const std::filesystem::path& secret);

/// A model and a dataset that go together, and are what they should be.
void write_sound_model(const std::filesystem::path& file);
void write_sound_dataset(const std::filesystem::path& file);

}  // namespace kernmill::testing
