set(KERNMILL_TASKS_DATA data/csv.cpp data/csv_file.cpp data/deploy.cpp data/exact_sum.cpp data/ordered_text.cpp data/preprocess.cpp data/run_deploy.cpp
    data/samples.cpp data/series.cpp data/split.cpp data/standardise.cpp data/table.cpp data/target.cpp)
