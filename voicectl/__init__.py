"""voicectl answers the telephone with an AI agent over Twilio ConversationRelay."""

__version__ = "0.1.0"
