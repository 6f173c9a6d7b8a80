import sys

from feedbackhub.sdk.cli import main

sys.exit(main())
