"""What an installation in containers needs beside the commands of its processes."""
