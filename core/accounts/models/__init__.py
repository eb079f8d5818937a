"""The rows that say who is asking."""

from core.accounts.models.api_key import ApiKey
from core.accounts.models.invitation import Invitation
from core.accounts.models.membership import Membership, Role
from core.accounts.models.organization import Organization
from core.accounts.models.team import Team
from core.accounts.models.user import User

__all__ = ["ApiKey", "Invitation", "Membership", "Organization", "Role", "Team", "User"]
