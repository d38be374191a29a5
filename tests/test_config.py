"""A configuration: every key is documented, the template reads as what it is made from."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from memsnap import SnapshotParams
from memsnap_sim.config import Config
from memsnap_sim.config_tables import LISTS, TABLES
from memsnap_sim.config_template import template
from memsnap_sim.errors import InputError
from memsnap_sim.surroundings import Fault

from sim import seeded

CONFIGS = sorted(Path(__file__).parents[1].glob("sim/configs/*.toml"))


def test_keys_are_those_of_what_they_describe():
    assert set(TABLES["unit"]) == {field.name for field in fields(SnapshotParams)}
    assert set(LISTS["fault"]) == {field.name for field in fields(Fault)}


@pytest.mark.parametrize("key", [key for table in (*TABLES.values(), *LISTS.values())
                                 for key in table.values()], ids=lambda key: key.name)
def test_every_key_says_what_it_means(key):
    assert key.about[0].isupper() or key.about[0] == '"'
    assert key.about.endswith(".")


def test_the_template_is_the_default():
    config = Config.of(tomllib.loads(template()))
    assert config.params() == Config().params()
    assert not config.policy and not config.dma and not config.region and not config.fault


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_template_of_a_configuration_is_the_same(path):
    config = Config.read(path)
    again = Config.of(tomllib.loads(template(config)))
    assert again.params() == config.params()
    for name in "policy", "region", "fault":
        assert getattr(again, name) == getattr(config, name)
    for name in "memory", "dma", "run":
        assert getattr(config, name).items() <= getattr(again, name).items()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_in_a_file_is_read_or_refused(seed):
    """No other error than one that names the key and the remedy."""
    rng = seeded(seed)
    values = ["", "64K", "x" * 20, -1, 0, 1, 1 << 70, 1.5, True, [], ["cti"], {}, [{}]]
    refused = 0
    for _ in range(400):
        tables = {}
        for name in rng.sample([*TABLES, *LISTS, "unti"], 3):
            keys = [*TABLES.get(name, LISTS.get(name, {})), "bogus"]
            table = {key: rng.choice(values) for key in rng.sample(keys, min(3, len(keys)))}
            tables[name] = rng.choice([table, [table], table, [table], 7])
        try:
            Config.of(tables, "x.toml").params()
        except InputError as error:
            refused += 1
            assert str(error).startswith("x.toml: ")
    assert refused
