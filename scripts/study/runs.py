"""The study's runs, in the order in which they are run: what decides comes before what refines.

Settings name the config fields that differ from those of the file `config`. Minutes are estimates
for one core.
"""

from scripts.study import tier_a, tier_b

DECIDES = {
    "A0": "what a trained network uses: its own graph, another one, either branch",
    "A1": "whether the layer can use its neighbours at all, with supervision",
    "A2": "whether a critic sees that distant cells disagree (d' of at least 1)",
    "A3": "whether a graph carries agreement where local layers cannot",
    "A4": "whether the stem carries the structure, not depth",
    "A5": "whether gamma, at the thesis's scale, switches ECC off",
    "A6": "how much of its graph a generator keeps while it trains, and what a pixel sees",
    "A7": "whether the layer learns to use its neighbours later than in A1",
    "A8": "what A1's task allows without any training",
    "B1": "whether a graph saves training where the latent reaches every pixel",
    "B2": "whether a graph changes the score of photographs by less than 0.1",
    "B3": "whether the sum over neighbours harms by its scale alone",
    "B4": "whether a critic with a graph sees what its windows do not",
    "B5": "whether the thesis's batch and learning rate explain ECC's rows",
    "B6": "Table 4.1, small",
    "B7": "whether the best graph of A3 helps where two shapes should be alike",
    "B8": "whether the best graph of A3 helps on photographs, with new seeds",
    "C5": "what a graph layer could gain on a data set at all",
    "C": "Table 4.1 and B3, as large as the thesis's",
}

JOBS = [*tier_a.jobs(), *tier_b.jobs()]
