set(KERNMILL_TASKS_LEARN
    learn/batch.cpp learn/checkpoint_schedule.cpp learn/criterion.cpp learn/evaluate.cpp learn/fit.cpp learn/forecast.cpp learn/full_batch.cpp
    learn/mini_batch.cpp learn/network.cpp learn/objective.cpp learn/predictor.cpp learn/reading.cpp learn/row_order.cpp learn/rows.cpp learn/scores.cpp
    learn/session.cpp learn/settings.cpp learn/train.cpp learn/tune.cpp)
