"""What an install without the extra ``train`` can audit: all that needs forward passes only."""

from __future__ import annotations

import subprocess
import sys

BLOCKED = ("tensorflow", "tf_keras", "keras", "larq", "scipy", "sklearn", "matplotlib", "h5py")
SCRIPT = f"""
import sys
for name in {BLOCKED!r}:
    sys.modules[name] = None
sys.path.insert(0, "tests/audit")
from rule_network import RuleNetwork, make_case, white_corner
from rbnn.audit import audit, gate, page, subject
from rbnn.audit.checks import patch_sweep
patch_sweep.SAMPLES = 6
audit.has_training = lambda: False
case = make_case(RuleNetwork(white_corner), quick=False)
patch_sweep.SIZES = (5,)
case.run = object()
found = {{one.name: one.outcome for one in audit._audit_task(case, None).checks}}
assert found["patch sweep"] == "found", found
assert found["trigger inversion"] == found["float against deployed"] == "not run", found
assert found["superposition entropy"] != "not run", found
"""


def test_the_checks_without_gradients_need_no_tensorflow() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
