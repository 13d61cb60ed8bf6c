"""Post-mortems of the seven incidents in several voices: right ones, and ones that only look right."""

from tests.fast import grader_fixtures as fixtures

HEADS = {
    "unit-mismatch": "cause: unit-mismatch\ncomponent: serving-code\nobject: distance_km",
    "featurelib-pin": "cause: feature-library-version-mismatch\ncomponent: serving-environment\nobject: featurelib",
    "library-pin": "cause: dependency-version-mismatch\ncomponent: serving-environment\nobject: pandas",
    "wrong-alias": "cause: wrong-alias\ncomponent: model-registry\nobject: champion",
    "imputation-mismatch": "cause: imputation-mismatch\ncomponent: serving-code\nobject: kitchen_minutes",
    "blocked-event-loop": "cause: event-loop-blocking\ncomponent: serving-code\nobject: serving/eta/app.py",
    "false-alarm": "cause: no-fault\ncomponent: none\nobject: none",
}

EVIDENCE = {
    "unit-mismatch": """
- the ratio between both sides is the same in every row [feature distance_km parity_ratio=0.6214]
- all rows are affected, see [feature distance_km parity_mismatch=1.0]
- the error went up as well [quality mae=6.8]
""",
    "featurelib-pin": """
- serving has installed [pin serving featurelib=1.2.0]
- the model wants another one, [pin model featurelib=2.1.0]
- requests are slow since then [latency p95_ms=412]
""",
    "library-pin": """
- serving has installed [pin serving pandas=3.0.6]
- the model was logged with [pin model pandas=2.3.3]
- the vehicle is gone from all requests [feature vehicle null_share=1.0]
""",
    "wrong-alias": """
- the alias is at [registry alias=champion version=6]
- this version was refused in review, see [registry version=6 promotion=rejected]
- features are equal on both sides [parity mismatch=0]
""",
    "imputation-mismatch": """
- no value is unknown after serving's code [feature kitchen_minutes null_share=0]
- a fifth of the values is now zero [feature kitchen_minutes zero_share=0.21]
- on the other side they are unknown [feature kitchen_minutes side=training null_share=0.21]
""",
    "blocked-event-loop": """
- the health check is slow under load [latency health_p99_ms=540]
- the slow end went up to [latency p95_ms=640]
- predictions are still equal [parity mismatch=0]
""",
    "false-alarm": """
- the error has not moved, it is [quality mae=2.71]
- both sides agree in every row [parity mismatch=0]
- the model hardly uses the column [importance temperature_c=0.0004]
""",
}

RIGHT: dict[str, dict[str, str]] = {
    "unit-mismatch": {
        "beginner": "I looked at the code and I found that in preprocess.py the distance is now in miles. But the model learned with "
        "kilometres. So the model thinks that all the orders are closer than they are and the time is too short.",
        "terse": "preprocess.py: route metres / 1609.344 instead of / 1000. Model was trained on km, gets miles. Classic unit mismatch.",
        "rambling": "It took us a while to get there, because at first we suspected that the model had been swapped, which it had not, and "
        "then somebody had the idea of looking at single rows, and there it was: whatever order you take, the distance that "
        "serving computes is 0.62 times what training computes, which is of course what you get when you use miles in place of "
        "kilometres. In other words, the unit of distance_km differs between both sides.",
        "non-native": "The reason of the incident is that serving code give the distance in miles to model, but model was learned with "
        "kilometers. It is an unit mismatch. It was introduced with commit 1a2b3c4 on Saturday.",
        "bullets": "- `distance_km` holds miles since commit 1a2b3c4\n- training still computes kilometres from the same metres\n"
        "- so every prediction is based on a distance that is too small by 1.609",
    },
    "featurelib-pin": {
        "beginner": "The serving container has featurelib 1.2.0 installed. The model was trained with version 2.1.0 of featurelib. The old "
        "version makes different features and it is also much slower, so we see both problems.",
        "terse": "serving/internal.txt pins featurelib 1.2.0; champion was trained on 2.1.0. Old release encodes differently and is slow.",
        "rambling": "What confused us was that two things went wrong at the same moment, namely that answers took ten times as long and "
        "that they were also wrong, and we looked for two causes until we compared what is installed: serving pins an older "
        "featurelib than the model knows, 1.2.0, and that release, besides being slow, gives features that mean something else.",
        "non-native": "Root cause is the wrong featurelib version in the serving image. There is 1.2.0 but model need 2.1.0. The old "
        "release calculate other features, and also need a lot of time for each order, therefore latency is high.",
        "bullets": "- serving image installs featurelib 1.2.0, the model was trained with 2.1.0\n- the old release computes different "
        "features from the same order\n- it also takes longer per order, which explains the latency",
    },
    "library-pin": {
        "beginner": "Somebody upgraded pandas to 3.0.6 in serving. Training still has pandas 2.3.3. In pandas 3 the text columns are not of "
        "dtype object any more, so our code does not find them, and the timestamps have another resolution.",
        "terse": "serving on pandas 3.0.6, model logged with 2.3.3. pandas 3: datetime in us, no object dtype -> tenure and categories break.",
        "rambling": "There was no error anywhere, which made it hard, and in the end it was the comparison of installed packages that gave "
        "it away: pandas was upgraded in the serving image to 3.0.6, and with that release timestamps count microseconds while "
        "string columns stop being object columns, so that the categories silently become unknown.",
        "non-native": "The problem come from the pandas version in serving which is 3.0.6, but model was trained with 2.3.3. With pandas 3 "
        "the datetime has other unit and the object columns are not recognized, so vehicle is unknown for model.",
        "bullets": "- pandas was upgraded in serving only (3.0.6 against 2.3.3)\n- timestamps changed resolution, so the tenure is wrong\n"
        "- text columns lost the object dtype, so featurelib leaves categories unknown",
    },
    "wrong-alias": {
        "beginner": "The alias champion was changed and it now points to version 6. This version was rejected, so it should not be used. The "
        "correct version is 5.",
        "terse": "champion -> version 6 since Saturday. 6 was rejected (mae 4.93). Should be 5.",
        "rambling": "Nothing in the code or in the data had changed, and row by row both sides computed the same features, so what was left "
        "was the model itself: the champion alias had been moved to version 6, a candidate that had been rejected in "
        "review because it was worse.",
        "non-native": "The champion alias point to wrong model version. It is version 6 now, and this version was rejected before, because "
        "it has bad error.",
        "bullets": "- the alias `champion` was moved from version 5 to version 6\n- version 6 was never approved, its record says rejected\n"
        "- serving follows the alias, so the worse model answers",
    },
    "imputation-mismatch": {
        "beginner": "When the kitchen time is missing, the serving code puts 0. In training the missing values are filled with the median. So "
        "for these orders the model thinks the kitchen needs no time.",
        "terse": "preprocess.py: fillna(0) on kitchen_minutes. Training leaves NaN to the pipeline's median imputer.",
        "rambling": "Only one order in five is wrong, and what these orders have in common is that the restaurant did not say how long it "
        "takes; for them serving now writes a zero where training had left the value unknown and let the imputer put in the "
        "median, so predictions come out too short.",
        "non-native": "Missing kitchen time is replaced with zero in serving, but in training it is replaced by median. This is an "
        "imputation mismatch and it makes the prediction too small.",
        "bullets": "- unknown kitchen times become 0 in serving since the release\n- in training the pipeline imputes the median\n"
        "- so a fifth of all orders is predicted too short",
    },
    "blocked-event-loop": {
        "beginner": "The predict function was changed to async def. But it calls time.sleep inside, which is blocking. So the event loop can "
        "not do anything else and all requests have to wait.",
        "terse": "predict in app.py is async now and blocks the event loop with time.sleep. Everything queues, /health included.",
        "rambling": "A single request is as quick as ever, but as soon as four come together they wait for each other, and even the health "
        "check, which does nothing at all, takes half a second; the reason is that the handler in app.py runs as a coroutine and "
        "makes a synchronous call, during which the loop cannot serve anybody.",
        "non-native": "In app.py the handler is async but do synchronous waiting. This is blocking the event loop, so the other requests "
        "and also the health endpoint must wait.",
        "bullets": "- `predict` became an async handler in app.py\n- it makes a blocking call on the event loop\n- so all requests, and the "
        "health check, wait for it",
    },
    "false-alarm": {
        "beginner": "I think there is no fault in the system. The temperature column changed but its importance is almost zero. The warning "
        "in the log is about the version, but the error of the model is the same as before.",
        "terse": "False alarm. temperature_c moved, importance 0.0004. InconsistentVersionWarning changes no prediction; MAE is flat.",
        "rambling": "We looked for a long time for something that had got worse and did not find it: the error is what it was, both sides "
        "compute the same, and of the two alerts one is about a column the model ignores, and the other a harmless warning about "
        "the version with which the model was saved.",
        "non-native": "There is nothing broken in the system. The column which drifted has no importance for the model, and the warning is "
        "harmless, because quality is not changed.",
        "bullets": "- nothing is broken: the error is unchanged since the week before\n- the column that moved has no weight in the model\n"
        "- the InconsistentVersionWarning is harmless, both sides agree",
    },
}


def right(scenario: str, voice: str) -> str:
    """A right post-mortem: root cause in one voice, evidence, and the same tail for all."""
    tail = fixtures.right_answer(scenario).split("## Impact", 1)[1]
    body = f"\n## Root cause\n{RIGHT[scenario][voice]}\n\n## Evidence\n{EVIDENCE[scenario]}\n## Impact{tail}"
    return fixtures.postmortem(HEADS[scenario], body)
