"""What every store must do: subclass `StoreContract` in a test and provide `store`.

class TestMyStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        store = MyStore(tmp_path / "steps")
        store.migrate()
        store.open()
        yield store
        store.close()

Each test cites by its name one sentence of `stores.protocol` or of the rules. What a
store cannot do it declares, in its `capabilities` and in the class attribute
`lacks`; tests of that are skipped by name, and nothing else ever is. See
`ContractBase` for what else a subclass may provide.
"""

from stepwell.testing.store_contract.adding import AddingContract
from stepwell.testing.store_contract.apart import ApartContract
from stepwell.testing.store_contract.base import ContractBase, Cut, Where, needs
from stepwell.testing.store_contract.changing import ChangingContract
from stepwell.testing.store_contract.claims import ClaimsContract
from stepwell.testing.store_contract.cut import cut_once, lost
from stepwell.testing.store_contract.cuts import CutsContract
from stepwell.testing.store_contract.engines import EnginesContract
from stepwell.testing.store_contract.exclusive import ExclusiveContract
from stepwell.testing.store_contract.grouping import GroupingContract
from stepwell.testing.store_contract.inspecting import InspectingContract
from stepwell.testing.store_contract.joins import JoinsContract
from stepwell.testing.store_contract.joins_among import JoinsAmongContract
from stepwell.testing.store_contract.keeping import KeepingContract
from stepwell.testing.store_contract.loading import LoadingContract
from stepwell.testing.store_contract.locking import LockingContract
from stepwell.testing.store_contract.rates import RatesContract
from stepwell.testing.store_contract.searching import SearchingContract
from stepwell.testing.store_contract.settling import SettlingContract
from stepwell.testing.store_contract.transactions import TransactionsContract

__all__ = ["ContractBase", "Cut", "StoreContract", "Where", "cut_once", "lost", "needs"]


class StoreContract(
    EnginesContract,
    ClaimsContract,
    LockingContract,
    ApartContract,
    SettlingContract,
    AddingContract,
    LoadingContract,
    ChangingContract,
    SearchingContract,
    GroupingContract,
    KeepingContract,
    InspectingContract,
    TransactionsContract,
    ExclusiveContract,
    RatesContract,
    JoinsContract,
    JoinsAmongContract,
    CutsContract,
):
    """All of the contract."""
