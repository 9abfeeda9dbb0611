set(KERNMILL_TASKS_DATA
    data/arrange.cpp data/array_header.cpp data/column_statistics.cpp data/csv.cpp data/csv_input.cpp data/csv_rows.cpp
    data/deploy.cpp data/exact_sum.cpp data/fit.cpp data/input.cpp data/input_file.cpp data/libsvm.cpp data/libsvm_line.cpp
    data/matrix_input.cpp data/open_input.cpp data/order_statistics.cpp data/ordered_text.cpp data/preprocess.cpp
    data/record_files.cpp data/rejected.cpp data/row_store.cpp data/run_deploy.cpp data/samples.cpp data/scratch_file.cpp data/series.cpp
    data/split.cpp data/target.cpp data/transform.cpp data/unknown_category.cpp)
